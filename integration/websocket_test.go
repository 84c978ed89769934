package integration_test

import (
	"net/http"
	"testing"

	"example.com/routeauth/integration/measure"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var webSocketServer = measure.Server{Sends: measure.APIKey, Handler: echoMessages}

var coderWebSocket = measure.Neighbour{
	Module: "github.com/coder/websocket",
	File:   "websocket_test.go",
	Server: webSocketServer,
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		conn, resp, err := websocket.Dial(t.Context(), baseURL, &websocket.DialOptions{HTTPClient: client})
		if err == nil {
			defer conn.CloseNow()
		}
		return measure.Answer{Err: err, Resp: resp}
	},
	Facts: []measure.Fact{
		{Says: "the handshake carries the credential, and the connection carries messages both ways", Test: webSocketMessages},
	},
}

// echoMessages accepts a WebSocket and sends back what it is sent.
func echoMessages(w http.ResponseWriter, req *http.Request) {
	conn, err := websocket.Accept(w, req, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, message, err := conn.Read(req.Context())
		if err != nil || conn.Write(req.Context(), kind, message) != nil {
			return
		}
	}
}

// Rule 4: the body of a 101 is the network's own, and can be written to.
func webSocketMessages(t *testing.T) {
	api := webSocketServer.Start(t)
	conn, _, err := websocket.Dial(t.Context(), api.URL, &websocket.DialOptions{HTTPClient: api.Client(t, measure.Right)})
	require.NoError(t, err)
	defer conn.CloseNow()
	for _, message := range []string{"first", "second"} {
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(message)))
		_, echo, err := conn.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, message, string(echo))
	}
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	assert.Equal(t, 1, api.Served())
}
