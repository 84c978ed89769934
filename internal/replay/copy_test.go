package replay_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/internal/replay"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 24: a copy of another length than the request's is an error, however it is
// read.
func TestACopyIsHeldAgainstTheLengthHoweverItIsRead(t *testing.T) {
	const text = "the whole body"
	errBroken := errors.New("broken")
	for way, read := range map[string]func(r io.Reader) (string, error){
		"Read": func(r io.Reader) (string, error) {
			read, err := io.ReadAll(r)
			return string(read), err
		},
		"WriteTo": func(r io.Reader) (string, error) {
			var out strings.Builder
			_, err := r.(io.WriterTo).WriteTo(&out)
			return out.String(), err
		},
	} {
		for name, test := range map[string]struct {
			copied io.Reader
			begin  string // of what is read
			err    string
		}{
			"the same": {strings.NewReader(text), text, ""},
			"shorter":  {strings.NewReader(text[:5]), text[:5], "unexpected EOF"},
			"longer":   {strings.NewReader(text + "x"), "", "longer than"},
			"broken":   {io.MultiReader(strings.NewReader(text[:5]), failing{errBroken}), text[:5], "broken"},
			"empty":    {strings.NewReader(""), "", "unexpected EOF"},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				req := newRequest(t, strings.NewReader(text))
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(test.copied), nil }
				body := replay.Of(req)
				first := body.PrepareWatched(req)
				sent, err := io.ReadAll(first.Body)
				require.NoError(t, err)
				assert.Equal(t, text, string(sent))
				second, err := body.Again(req)
				require.NoError(t, err)
				got, err := read(second.Body)
				assert.True(t, strings.HasPrefix(got, test.begin), got)
				if test.err == "" {
					assert.NoError(t, err)
					assert.Equal(t, text, got)
					return
				}
				assert.ErrorContains(t, err, test.err)
				_, again := second.Body.Read(make([]byte, 1))
				assert.Equal(t, err, again, "the error stays")
			})
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Rule 24: a copy that takes over where another was left begins with the same
// bytes, or ends with an error.
func TestACopyThatGoesOnElsewhereSkipsTheSameBytes(t *testing.T) {
	const text = "the whole body"
	for copied, want := range map[string]string{
		text:             "",
		"THE WHOLE BODY": "not the same",
		text[:3]:         "unexpected EOF",
	} {
		req := newRequest(t, strings.NewReader(text))
		req.ContentLength = -1
		calls := 0
		req.GetBody = func() (io.ReadCloser, error) {
			calls++
			if calls == 1 {
				return io.NopCloser(strings.NewReader(text)), nil
			}
			return io.NopCloser(strings.NewReader(copied)), nil
		}
		body := replay.Of(req)
		first := body.PrepareWatched(req).Body
		begin := make([]byte, 5)
		_, err := io.ReadFull(first, begin)
		require.NoError(t, err)
		other, err := body.PrepareWatched(req).GetBody() // takes the caller's reader away
		require.NoError(t, err)
		_, err = io.ReadFull(other, make([]byte, 2))
		require.NoError(t, err)
		rest, err := io.ReadAll(first)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, text[5:], string(rest))
		} else {
			assert.ErrorContains(t, err, want, copied)
		}
	}
}

// Rule 24: where the length is not known, each copy is held against the one before
// it of which most was read, and which was not wrong itself.
func TestACopyIsHeldAgainstWhatWasReadBefore(t *testing.T) {
	const text, all = "the whole body", 1 << 10
	other := func(at int) string { return text[:at] + "?" + text[at+1:] }
	type read struct {
		copied string
		n      int    // bytes
		err    string // "" for none
	}
	const another, short = "is not the same", "unexpected EOF"
	for name, reads := range map[string][]read{
		"the same":                        {{text, 5, ""}, {text, all, ""}},
		"another where the first ended":   {{text, 5, ""}, {other(4), all, another}},
		"another after that":              {{text, 5, ""}, {other(5), all, ""}},
		"shorter than what was read":      {{text, 5, ""}, {text[:4], all, short}},
		"shorter than the whole":          {{text, all, ""}, {text[:13], all, short}},
		"longer than the whole":           {{text, all, ""}, {text + "?", all, another}},
		"held against the longest":        {{text, 10, ""}, {text, 3, ""}, {other(8), all, another}},
		"also where the next was longer":  {{text, 3, ""}, {text, 10, ""}, {other(8), all, another}},
		"not against a wrong one":         {{text, 10, ""}, {other(2), all, another}, {text, all, ""}},
		"after a wrong one":               {{text, 10, ""}, {other(2), all, another}, {other(8), all, another}},
		"the end stays known":             {{text, all, ""}, {text, 3, ""}, {text + "?", all, another}},
		"an end of the same bytes counts": {{text, all, ""}, {text, 14, ""}, {text + "?", all, another}},
	} {
		for _, dropped := range []bool{false, true} { // the copies before
			t.Run(fmt.Sprintf("%s, dropped: %t", name, dropped), func(t *testing.T) {
				nth := 0
				req := newRequest(t, strings.NewReader(reads[0].copied))
				req.ContentLength = -1
				if dropped {
					req.ContentLength = 0 // not known either
				}
				req.GetBody = func() (io.ReadCloser, error) {
					nth++
					return io.NopCloser(strings.NewReader(reads[nth].copied)), nil
				}
				body := replay.Of(req)
				first := body.PrepareWatched(req)
				reader := first.Body
				for i, step := range reads {
					var err error
					switch {
					case i > 0 && dropped:
						var again *http.Request
						again, err = body.Again(req)
						require.NoError(t, err)
						reader = again.Body
					case i > 0:
						reader, err = first.GetBody()
						require.NoError(t, err)
					}
					got, err := io.ReadAll(io.LimitReader(reader, int64(step.n)))
					if step.err == "" {
						assert.NoError(t, err)
						assert.Equal(t, step.copied[:min(step.n, len(step.copied))], string(got))
					} else {
						assert.ErrorContains(t, err, step.err)
					}
				}
			})
		}
	}
}

// rewinding is a body whose GetBody rewinds it, and that cannot be read once it was
// closed.
type rewinding struct {
	*strings.Reader
	closed bool
}

func (r *rewinding) Read(p []byte) (int, error) {
	if r.closed {
		return 0, errors.New("closed")
	}
	return r.Reader.Read(p)
}

func (r *rewinding) Close() error {
	r.closed = true
	return nil
}

// Rule 24: a reader that GetBody rewinds and returns again is not closed on the way.
func TestAReaderThatIsReturnedAgainStaysOpen(t *testing.T) {
	const text = "the whole body"
	for same, closed := range map[bool]bool{true: false, false: true} {
		first := &rewinding{Reader: strings.NewReader(text)}
		req := newRequest(t, first)
		req.GetBody = func() (io.ReadCloser, error) {
			if !same {
				return &rewinding{Reader: strings.NewReader(text)}, nil
			}
			_, err := first.Seek(0, io.SeekStart)
			return first, err
		}
		req.ContentLength = int64(len(text))
		body := replay.Of(req)
		_, err := io.ReadFull(body.PrepareWatched(req).Body, make([]byte, 5))
		require.NoError(t, err)
		again, err := body.Again(req)
		require.NoError(t, err)
		assert.Equal(t, closed, first.closed, "the same: %t", same)
		got, err := io.ReadAll(again.Body)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
	}
}
