package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var streams = measure.Neighbour{
	Name:   "streams",
	File:   "stream_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		body := io.MultiReader(strings.NewReader("a body that nobody can have again"))
		resp, err := client.Post(baseURL, "text/plain", body)
		if err == nil {
			resp.Body.Close()
		}
		return measure.Answer{Err: err, Resp: resp}
	},
	Facts: []measure.Fact{
		{Says: "server-sent events arrive one by one", Test: streamEvents},
		{Says: "a request's body is sent as it comes", Test: streamRequest},
	},
}

// Rule 4: the body is the network's own, so an event is read before the next
// one is sent.
func streamEvents(t *testing.T) {
	for name, auth := range auths(t) {
		t.Run(name, func(t *testing.T) {
			send := make(chan int)
			gone := make(chan struct{})
			api := newServer(t, func(w http.ResponseWriter, req *http.Request) {
				defer close(gone)
				if req.Header.Get(auth.optional) == "" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				for {
					select {
					case n := <-send:
						fmt.Fprintf(w, "data: %d\n\n", n)
						_ = http.NewResponseController(w).Flush()
					case <-req.Context().Done():
						return
					}
				}
			})
			client := &http.Client{Transport: newTransport(t, api.URL, auth, nil)}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()

			go func() { send <- 0 }() // the header comes with the first event
			resp, err := client.Do(newRequest(t, ctx, "GET", api.URL+statusPath, ""))
			require.NoError(t, err)
			defer resp.Body.Close()
			events := bufio.NewScanner(resp.Body)
			for n := range 3 {
				if n > 0 {
					send <- n
				}
				require.True(t, events.Scan(), "%v", events.Err())
				assert.Equal(t, fmt.Sprintf("data: %d", n), events.Text())
				require.True(t, events.Scan(), "the blank line")
			}
			leave()
			<-gone // the server learns that the reader left
		})
	}
}

// Rule 2: the body is the caller's own, so a chunk is sent before the next one
// is there.
func streamRequest(t *testing.T) {
	lines := make(chan string)
	api := newServer(t, func(_ http.ResponseWriter, req *http.Request) {
		for body := bufio.NewScanner(req.Body); body.Scan(); {
			lines <- body.Text()
		}
	})
	client := &http.Client{Transport: newTransport(t, api.URL, apiKeyAuth, nil)}
	body, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", api.URL+"/uploaded_images", body)
	require.NoError(t, err)

	answered := make(chan error)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	for _, line := range strings.Fields("first second third") {
		_, err := io.WriteString(writer, line+"\n")
		require.NoError(t, err)
		assert.Equal(t, line, <-lines)
	}
	require.NoError(t, writer.Close())
	require.NoError(t, <-answered)
}
