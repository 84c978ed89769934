package replay_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/routeauth/internal/replay"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newRequest(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest("POST", "https://api.example.com/", body)
	require.NoError(t, err)
	return req
}

// paramsRead returns a request below another one, whose body was read for params
// as a transport reads it.
func paramsRead(t *testing.T, req *http.Request) *http.Request {
	t.Helper()
	body := replay.Of(req)
	params, err := body.ForParams()
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, params)
	require.NoError(t, err)
	sent, err := body.Prepare(req, true)
	require.NoError(t, err)
	return sent
}

// Rule 35: a body was read where it was sent, and not where its params were read.
func TestReadingForParamsIsNotSending(t *testing.T) {
	for name, text := range map[string]string{"held": "body", "past the limit": strings.Repeat("x", replay.MaxParamsBody+1)} {
		for layers := range 4 {
			for way, read := range map[string]func(io.Reader) error{
				"Read":    func(r io.Reader) error { _, err := r.Read(make([]byte, 1)); return err },
				"WriteTo": func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err },
			} {
				t.Run(name+", "+way, func(t *testing.T) {
					for _, fromCopy := range []bool{false, true} {
						req := newRequest(t, strings.NewReader(text))
						watched := replay.Of(req)
						sent := watched.PrepareWatched(req)
						for range layers {
							sent = paramsRead(t, sent)
						}
						assert.False(t, watched.WasRead())
						reader := sent.Body
						if fromCopy {
							var err error
							reader, err = sent.GetBody()
							require.NoError(t, err)
							assert.False(t, watched.WasRead(), "to have a copy is not to send it")
						}
						require.NoError(t, read(reader))
						assert.True(t, watched.WasRead(), "layers: %d, from a copy: %t", layers, fromCopy)

						_, err := watched.AgainIfIdle(req)
						require.NoError(t, err)
						assert.False(t, watched.WasRead(), "the next body was not read")
					}
				})
			}
		}
	}
}

// Rule 35: where there is no second body, the first goes on.
func TestABodyGoesOnWhereThereIsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		req := newRequest(t, reader)
		req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("asked") }
		body := replay.Of(req)
		sent := body.PrepareWatched(req)
		read := make(chan string)
		go func() {
			text, err := io.ReadAll(sent.Body)
			assert.NoError(t, err)
			read <- string(text)
		}()
		synctest.Wait()
		_, err := body.AgainIfIdle(req)
		assert.ErrorContains(t, err, "still being read")
		assert.True(t, body.WasRead())
		_, err = writer.Write([]byte("body"))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		assert.Equal(t, "body", <-read)
	})
}
