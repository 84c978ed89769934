package integration_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/google/go-github/v89/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var goGitHub = measure.Neighbour{
	Module: "github.com/google/go-github/v89",
	File:   "github_test.go",
	Server: measure.Server{Sends: measure.Bearer},
	Own:    "`*ErrorResponse`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		_, resp, err := newGitHub(t, baseURL, client).Issues.CreateComment(t.Context(), "owner", "repo", 17, &github.IssueComment{})
		answer := measure.Answer{Err: err}
		if resp != nil {
			answer.Resp = resp.Response
		}
		var own *github.ErrorResponse
		answer.Own = errors.As(err, &own) && own.Response.StatusCode == http.StatusUnauthorized
		return answer
	},
	Facts: []measure.Fact{
		{Says: "a release asset's redirect takes no token to another host; its own `WithAuthToken` does", Test: gitHubAssetElsewhere},
	},
}

func newGitHub(t *testing.T, baseURL string, client *http.Client, opts ...github.ClientOptionsFunc) *github.Client {
	baseURL += "/"
	gh, err := github.NewClient(append(opts, github.WithHTTPClient(client), github.WithURLs(&baseURL, &baseURL))...)
	require.NoError(t, err)
	return gh
}

// Rule 11. go-github follows the redirect with the client that it is given, so
// it is its own transport that takes the token along.
func gitHubAssetElsewhere(t *testing.T) {
	var seen []string
	elsewhere := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		seen = append(seen, req.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "asset")
	})
	api := measure.Server{Sends: measure.Bearer, Handler: http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP}.Start(t)
	download := func(gh *github.Client, follow *http.Client) {
		asset, _, err := gh.Repositories.DownloadReleaseAsset(t.Context(), "owner", "repo", 1, follow)
		require.NoError(t, err)
		defer asset.Close()
		text, err := io.ReadAll(asset)
		require.NoError(t, err)
		assert.Equal(t, "asset", string(text))
	}
	client := api.Client(t, measure.Right, routeauth.KeepUnauthorized())
	download(newGitHub(t, api.URL, client), client)

	gh := newGitHub(t, api.URL, &http.Client{}, github.WithAuthToken(string(measure.Right)))
	download(gh, gh.Client())
	assert.Equal(t, []string{"", "Bearer " + string(measure.Right)}, seen)
}
