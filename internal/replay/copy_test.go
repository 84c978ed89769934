package replay_test

import (
	"errors"
	"io"
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
