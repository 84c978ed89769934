package heavy_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var openaiGo = measure.Neighbour{
	Module: "github.com/openai/openai-go/v3",
	File:   "heavy/openai_test.go",
	Server: measure.Server{Sends: measure.Bearer},
	Own:    "`*Error`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		return callOpenAI(t, baseURL, client)
	},
	Facts: []measure.Fact{
		{Says: "a key of its own, as `OPENAI_API_KEY` is, is replaced on the wire", Test: openaiOwnKey},
		{Says: "`WithMaxRetries(0)` makes it one request", Test: openaiNoRetries},
		{Says: "a streamed answer arrives event by event", Test: openaiStream},
	},
}

func newOpenAI(baseURL string, client *http.Client, opts ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{option.WithBaseURL(baseURL), option.WithHTTPClient(client)}, opts...)...)
}

func callOpenAI(t *testing.T, baseURL string, client *http.Client, opts ...option.RequestOption) measure.Answer {
	sdk := newOpenAI(baseURL, client, opts...)
	_, err := sdk.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{})
	answer := measure.Answer{Err: err}
	var own *openai.Error
	if errors.As(err, &own) {
		answer.Resp, answer.Own = own.Response, own.StatusCode == http.StatusUnauthorized
	}
	return answer
}

func openaiOwnKey(t *testing.T) {
	api := measure.Server{Sends: measure.Bearer}.Start(t)
	t.Setenv("OPENAI_API_KEY", "its-own")
	require.NoError(t, callOpenAI(t, api.URL, api.Client(t, measure.Right)).Err)
	assert.Equal(t, 1, api.Served())
}

func openaiNoRetries(t *testing.T) {
	api := measure.Server{Sends: measure.Bearer}.Start(t)
	answer := callOpenAI(t, api.URL, api.Client(t, measure.Wrong), option.WithMaxRetries(0))
	require.ErrorIs(t, answer.Err, routeauth.ErrUnauthorized)
	assert.Equal(t, 1, api.Rejected())
}

func openaiStream(t *testing.T) {
	events := make(chan string)
	api := measure.Server{Sends: measure.Bearer, Handler: sendEvents(events)}.Start(t)
	client := newOpenAI(api.URL, api.Client(t, measure.Right, routeauth.KeepUnauthorized()))
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{})
	defer stream.Close()
	defer close(events)
	for _, text := range []string{"first", "second"} {
		events <- fmt.Sprintf("data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", text)
		require.True(t, stream.Next(), "%v", stream.Err())
		assert.Equal(t, text, stream.Current().Choices[0].Delta.Content)
	}
}
