package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

var mcpSDK = measure.Neighbour{
	Module: "github.com/modelcontextprotocol/go-sdk",
	File:   "mcp_test.go",
	Server: measure.Server{Sends: measure.Bearer, Handler: newMCPHandler(nil).ServeHTTP},
	Own:    "`OAuthHandler`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		asked := &oauthHandler{}
		session, err := connectMCP(t, &mcp.StreamableClientTransport{Endpoint: baseURL, HTTPClient: client, OAuthHandler: asked}, nil)
		if err == nil {
			_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "count"})
			assert.NoError(t, session.Close())
		}
		return measure.Answer{Err: err, Resp: asked.resp, Own: asked.resp != nil}
	},
	Facts: []measure.Fact{
		{Says: "it begins in two ways, one after the other, so a rejected token is sent twice", Test: mcpTwoBeginnings},
		{Says: "what a tool tells while it runs arrives before its result", Test: mcpProgress},
	},
}

// newMCPHandler serves a tool that counts to two, tells of each number, and
// waits until that was heard.
func newMCPHandler(heard <-chan float64) http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "server", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "count"}, func(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		if token := req.Params.GetProgressToken(); token != nil {
			for _, n := range []float64{1, 2} {
				if err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: n}); err != nil {
					return nil, nil, err
				}
				if got := <-heard; got != n {
					return nil, nil, fmt.Errorf("heard %v for %v", got, n)
				}
			}
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "counted"}}}, nil, nil
	})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
}

func connectMCP(t *testing.T, transport *mcp.StreamableClientTransport, opts *mcp.ClientOptions) (*mcp.ClientSession, error) {
	return mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, opts).Connect(t.Context(), transport, nil)
}

// oauthHandler is what the SDK asks for a token, and tells of a 401.
type oauthHandler struct{ resp *http.Response }

func (h *oauthHandler) TokenSource(context.Context) (oauth2.TokenSource, error) { return nil, nil }

func (h *oauthHandler) Authorize(_ context.Context, _ *http.Request, resp *http.Response) error {
	resp.Body.Close()
	h.resp = resp
	return errors.New("sign in again")
}

func mcpTwoBeginnings(t *testing.T) {
	api := measure.Server{Sends: measure.Bearer}.Start(t)
	client := api.Client(t, measure.Wrong)
	rejecting := client.Transport
	var methods []string
	client.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		var message struct{ Method string }
		body, err := req.GetBody()
		require.NoError(t, err)
		require.NoError(t, json.NewDecoder(body).Decode(&message))
		methods = append(methods, message.Method)
		return rejecting.RoundTrip(req)
	})
	_, err := connectMCP(t, &mcp.StreamableClientTransport{Endpoint: api.URL, HTTPClient: client}, nil)
	require.ErrorIs(t, err, routeauth.ErrUnauthorized)
	assert.Equal(t, []string{"server/discover", "initialize"}, methods)
}

func mcpProgress(t *testing.T) {
	heard := make(chan float64)
	api := measure.Server{Sends: measure.Bearer, Handler: newMCPHandler(heard).ServeHTTP}.Start(t)
	session, err := connectMCP(t, &mcp.StreamableClientTransport{
		Endpoint: api.URL, HTTPClient: api.Client(t, measure.Right, routeauth.KeepUnauthorized()),
	}, &mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
		heard <- req.Params.Progress
	}})
	require.NoError(t, err)
	params := &mcp.CallToolParams{Name: "count"}
	params.SetProgressToken("a")
	result, err := session.CallTool(t.Context(), params)
	require.NoError(t, err)
	assert.False(t, result.IsError, "%v", result.Content)
	require.NoError(t, session.Close())
	assert.Zero(t, api.Rejected())
}
