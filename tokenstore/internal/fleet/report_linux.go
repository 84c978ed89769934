package fleet

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what came out of a run.
type Report struct {
	Processes int
	Seed      uint64
	Duration  time.Duration

	Requests    int // that the processes made
	APIRequests int // that reached the API, replays too
	Rejections  int // 401s of the API
	Overtaken   int // requests that failed since their new token was revoked as well
	Fetches     int // tokens that the issuer issued
	Needed      int // of them: no process shared a token that would have done
	Alone       int // while Redis was in trouble
	AfterFreeze int // by a process that was frozen and lost its lock
	Refused     int // requests that the issuer refused, to keep its rate
	NotServed   int // requests that failed since the issuer refused
	Commands    int // that Redis was told
	Slowest     time.Duration

	Kills, Freezes, Revocations                             int
	Restarts, Wipes, RedisFreezes, Stalls, LongStalls, Cuts int

	// Failures are some of the errors that are counted in Failed.
	Failures []string

	Violations
}

// Violations are the things that must not happen. Each counts how often it did.
type Violations struct {
	Failed       int // requests that failed though the source could serve
	ForeignToken int // requests with a token of another user
	KnownRevoked int // tokens returned to a process that knew they were rejected
	SecretsSeen  int // tokens and users found in Redis's memory or in MONITOR
	KeysLeft     int // keys left in Redis after the tokens' end
	Unneeded     int // fetches above the least, kills and troubles
	Crashes      int // processes that ended by themselves
}

// Total is zero if nothing happened that must not.
func (v Violations) Total() (total int) {
	for _, row := range v.rows() {
		total += row.count
	}
	return total
}

type row struct {
	what  string
	count int
}

func (v Violations) rows() []row {
	return []row{
		{"requests that failed though the source could serve", v.Failed},
		{"requests with another user's token", v.ForeignToken},
		{"tokens returned to a process that knew they were rejected", v.KnownRevoked},
		{"tokens or users seen in Redis's memory or in MONITOR", v.SecretsSeen},
		{"keys left in Redis after the tokens' end", v.KeysLeft},
		{"fetches above the least", v.Unneeded},
		{"processes that ended by themselves", v.Crashes},
	}
}

// String is the report as a table.
func (r *Report) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	section := func(title string, rows []row) {
		fmt.Fprintf(w, "%s\n", title)
		for _, row := range rows {
			fmt.Fprintf(w, "%d\t  %s\n", row.count, row.what)
		}
	}
	section(fmt.Sprintf("traffic (%d processes, seed %d, %v)", r.Processes, r.Seed, r.Duration.Round(time.Second)), []row{
		{"requests", r.Requests},
		{"requests at the API, replays too", r.APIRequests},
		{"of them answered 401", r.Rejections},
		{"requests that failed since their new token was revoked as well", r.Overtaken},
		{"requests that failed since the issuer refused", r.NotServed},
		{"commands that Redis was told", r.Commands},
		{"milliseconds that the slowest request took", int(r.Slowest.Milliseconds())},
	})
	section("fetches", []row{
		{"tokens issued", r.Fetches},
		{"of them needed: cold, due, revoked or lost with a process", r.Needed},
		{"while Redis was in trouble", r.Alone},
		{"by a process that had been frozen", r.AfterFreeze},
		{"refused by the issuer", r.Refused},
	})
	section("troubles", []row{
		{"processes killed", r.Kills},
		{"processes frozen", r.Freezes},
		{"revocations", r.Revocations},
		{"restarts of Redis", r.Restarts},
		{"wipes", r.Wipes},
		{"freezes of Redis", r.RedisFreezes},
		{"stalls of less than a second", r.Stalls},
		{"longer stalls", r.LongStalls},
		{"connections cut", r.Cuts},
	})
	section("must be zero", r.rows())
	_ = w.Flush() // into memory
	for _, failure := range slices.Sorted(slices.Values(r.Failures)) {
		fmt.Fprintf(&text, "failed: %s\n", failure)
	}
	return text.String()
}
