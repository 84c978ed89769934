package filetokens

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/token"
)

// record is what a file holds of a token. The zero record is that of a file that
// is missing or cannot be used.
type record struct {
	token   routeauth.Secret
	written time.Time
	end     time.Time
	total   time.Duration // from its fetch to its end
}

// Times are whole milliseconds since 1970.
const (
	firstLine    = "routeauth filetokens 1"
	recordFormat = firstLine + "\n%s\n%d %d %d\n%s\n" // name, written, end, total, token
)

// text returns a record as it stands in the file of that name.
func (r record) text(name string) string {
	body := fmt.Sprintf(recordFormat, name, r.written.UnixMilli(), r.end.UnixMilli(), r.total.Milliseconds(), string(r.token))
	return body + checksum(body) + "\n"
}

// parseRecord returns the record that stands in the file of that name, or none.
func parseRecord(text, name string) record {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 {
		return record{}
	}
	var written, end, total int64
	if n, err := fmt.Sscanf(lines[2], "%d %d %d", &written, &end, &total); n != 3 || err != nil {
		return record{}
	}
	r := record{
		token:   routeauth.Secret(lines[3]),
		written: time.UnixMilli(written),
		end:     time.UnixMilli(end),
		total:   time.Duration(total) * time.Millisecond,
	}
	// The whole text, so that nothing else can stand in it.
	if total <= 0 || !token.IsWellFormed(r.token) || r.text(name) != text {
		return record{}
	}
	return r
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// left returns how long the token lives from now on. If the clock stands before
// the time at which the file was written, it was changed, and that is not known.
func (r record) left(now time.Time) time.Duration {
	if now.Before(r.written) {
		return 0
	}
	return r.end.Sub(now)
}

// lastMoment is how long before its end a token is not returned if another can be
// had.
func (r record) lastMoment() time.Duration { return min(time.Second, r.total/10) }

// isGood reports whether the token may be returned at once.
func (r record) isGood(now time.Time) bool { return r.left(now) > r.lastMoment() }

// isDue reports whether the token is to be replaced. That is not earlier than a
// cache above asks for it with its defaults, and not later.
func (r record) isDue(now time.Time) bool { return r.left(now) <= min(10*time.Second, r.total/3) }

func (r record) obtained() obtained {
	return obtained{Token: routeauth.Token{Value: r.token, Expiry: r.end}}
}

// orElse returns what was fetched, or, where that failed, the token of the file
// for as long as it lives.
func (r record) orElse(fetched obtained, err error) (obtained, error) {
	if err != nil && r.left(time.Now()) > 0 {
		return r.obtained(), nil
	}
	return fetched, err
}
