package heavy_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var anthropicSDK = measure.Neighbour{
	Module: "github.com/anthropics/anthropic-sdk-go",
	File:   "heavy/anthropic_test.go",
	Server: measure.Server{Sends: measure.APIKey},
	Own:    "`*Error`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		return callAnthropic(t, baseURL, client, option.WithoutEnvironmentDefaults())
	},
	Facts: []measure.Fact{
		{Says: "without a key of its own it sends nothing, unless `WithoutEnvironmentDefaults` is set", Test: anthropicWithoutKey},
		{Says: "a key of its own, as `ANTHROPIC_API_KEY` is, is replaced on the wire", Test: anthropicOwnKey},
		{Says: "`WithMaxRetries(0)` makes it one request", Test: anthropicNoRetries},
		{Says: "a streamed answer arrives event by event", Test: anthropicStream},
	},
}

func newAnthropic(baseURL string, client *http.Client, opts ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{option.WithBaseURL(baseURL), option.WithHTTPClient(client)}, opts...)...)
}

func callAnthropic(t *testing.T, baseURL string, client *http.Client, opts ...option.RequestOption) measure.Answer {
	sdk := newAnthropic(baseURL, client, opts...)
	_, err := sdk.Messages.New(t.Context(), anthropic.MessageNewParams{MaxTokens: 1})
	answer := measure.Answer{Err: err}
	var own *anthropic.Error
	if errors.As(err, &own) {
		answer.Resp, answer.Own = own.Response, own.StatusCode == http.StatusUnauthorized
	}
	return answer
}

// setNoKey takes every key from the environment and the home directory.
func setNoKey(t *testing.T) {
	for _, name := range []string{"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_FEDERATION_RULE_ID"} {
		t.Setenv(name, "")
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "APPDATA", "ANTHROPIC_CONFIG_DIR"} {
		t.Setenv(name, t.TempDir())
	}
}

func anthropicWithoutKey(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	setNoKey(t)
	require.Error(t, callAnthropic(t, api.URL, api.Client(t, measure.Right), option.WithMaxRetries(0)).Err)
	assert.Zero(t, api.Served()+api.Rejected())
	require.NoError(t, callAnthropic(t, api.URL, api.Client(t, measure.Right), option.WithoutEnvironmentDefaults()).Err)
}

func anthropicOwnKey(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	setNoKey(t)
	t.Setenv("ANTHROPIC_API_KEY", "its-own")
	require.NoError(t, callAnthropic(t, api.URL, api.Client(t, measure.Right)).Err)
	assert.Equal(t, 1, api.Served())
}

func anthropicNoRetries(t *testing.T) {
	api := measure.Server{Sends: measure.APIKey}.Start(t)
	answer := callAnthropic(t, api.URL, api.Client(t, measure.Wrong), option.WithoutEnvironmentDefaults(), option.WithMaxRetries(0))
	require.ErrorIs(t, answer.Err, routeauth.ErrUnauthorized)
	assert.Equal(t, 1, api.Rejected())
}

func anthropicStream(t *testing.T) {
	events := make(chan string)
	api := measure.Server{Sends: measure.APIKey, Handler: sendEvents(events)}.Start(t)
	client := newAnthropic(api.URL, api.Client(t, measure.Right, routeauth.KeepUnauthorized()), option.WithoutEnvironmentDefaults())
	stream := client.Messages.NewStreaming(t.Context(), anthropic.MessageNewParams{MaxTokens: 1})
	defer stream.Close()
	defer close(events)
	for _, text := range []string{"first", "second"} {
		events <- fmt.Sprintf("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", text)
		require.True(t, stream.Next(), "%v", stream.Err())
		assert.Equal(t, text, stream.Current().Delta.Text)
	}
}
