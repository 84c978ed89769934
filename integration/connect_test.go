package integration_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var connectServer = measure.Server{Sends: measure.Bearer, Handler: echoService().ServeHTTP, Listen: listenH2C}

var connectGo = measure.Neighbour{
	Module: "connectrpc.com/connect",
	File:   "connect_test.go",
	Server: connectServer,
	Own:    "`CodeUnauthenticated`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		_, err := newEcho(client, baseURL, "Unary").CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("a")))
		return measure.Answer{Err: err, Own: connect.CodeOf(err) == connect.CodeUnauthenticated}
	},
	Facts: []measure.Fact{
		{Says: "unary calls, server streams and two-way streams over h2c, in Connect and gRPC", Test: connectStreams},
		{Says: "as an error a 401 has `CodeUnavailable`, which asks for another try", Test: connectUnavailable},
	},
}

type text = wrapperspb.StringValue

// echoService has a call of each kind. That well-known types are its messages
// saves generated code.
func echoService() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/echo.Echo/Unary", connect.NewUnaryHandler("/echo.Echo/Unary",
		func(_ context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
			return connect.NewResponse(req.Msg), nil
		}))
	mux.Handle("/echo.Echo/ServerStream", connect.NewServerStreamHandler("/echo.Echo/ServerStream",
		func(_ context.Context, req *connect.Request[text], stream *connect.ServerStream[text]) error {
			return errors.Join(stream.Send(req.Msg), stream.Send(req.Msg))
		}))
	mux.Handle("/echo.Echo/Bidi", connect.NewBidiStreamHandler("/echo.Echo/Bidi",
		func(_ context.Context, stream *connect.BidiStream[text, text]) error {
			for {
				msg, err := stream.Receive()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if err := stream.Send(msg); err != nil {
					return err
				}
			}
		}))
	return mux
}

// listenH2C starts a server that speaks HTTP/2 without TLS.
func listenH2C(t *testing.T, server *httptest.Server) http.RoundTripper {
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	server.Config.Protocols = h2c
	server.Start()
	network := &http.Transport{Protocols: h2c}
	t.Cleanup(network.CloseIdleConnections)
	return network
}

func newEcho(client *http.Client, baseURL, call string, opts ...connect.ClientOption) *connect.Client[text, text] {
	return connect.NewClient[text, text](client, baseURL+"/echo.Echo/"+call, opts...)
}

func connectStreams(t *testing.T) {
	for name, opts := range map[string][]connect.ClientOption{"Connect": nil, "gRPC": {connect.WithGRPC()}} {
		t.Run(name, func(t *testing.T) {
			api := connectServer.Start(t)
			client := api.Client(t, measure.Right)

			answer, err := newEcho(client, api.URL, "Unary", opts...).CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("a")))
			require.NoError(t, err)
			assert.Equal(t, "a", answer.Msg.Value)

			stream, err := newEcho(client, api.URL, "ServerStream", opts...).CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String("b")))
			require.NoError(t, err)
			for range 2 {
				require.True(t, stream.Receive(), "%v", stream.Err())
				assert.Equal(t, "b", stream.Msg().Value)
			}
			require.NoError(t, stream.Close())

			bidi := newEcho(client, api.URL, "Bidi", opts...).CallBidiStream(t.Context())
			for _, value := range []string{"c", "d"} { // each is read before the next is written
				require.NoError(t, bidi.Send(wrapperspb.String(value)))
				msg, err := bidi.Receive()
				require.NoError(t, err)
				assert.Equal(t, value, msg.Value)
			}
			require.NoError(t, errors.Join(bidi.CloseRequest(), bidi.CloseResponse()))
			assert.Equal(t, 3, api.Served())
			assert.Zero(t, api.Rejected())
		})
	}
}

func connectUnavailable(t *testing.T) {
	for _, test := range []struct {
		opts []routeauth.Option
		code connect.Code
	}{
		{nil, connect.CodeUnavailable},
		{[]routeauth.Option{routeauth.KeepUnauthorized()}, connect.CodeUnauthenticated},
	} {
		api := connectServer.Start(t)
		bidi := newEcho(api.Client(t, measure.Wrong, test.opts...), api.URL, "Bidi").CallBidiStream(t.Context())
		_ = bidi.Send(wrapperspb.String("a")) // it may be sent before the 401 is there
		_, err := bidi.Receive()
		assert.Equal(t, test.code, connect.CodeOf(err))
		assert.Equal(t, 1, api.Rejected())
		_ = bidi.CloseRequest()
		_ = bidi.CloseResponse()
	}
}
