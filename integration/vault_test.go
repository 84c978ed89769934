package integration_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/integration/measure"
	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vaultServer takes its token from a field of its own.
var vaultServer = measure.Server{Sends: measure.Credential{
	Field: "X-Vault-Token",
	Auth: func(secret routeauth.Secret) routeauth.Auth {
		return routeauth.HeaderAuth{Scheme: "vault", Name: "X-Vault-Token", Value: secret}
	},
}}

var vault = measure.Neighbour{
	Module: "github.com/hashicorp/vault/api",
	File:   "vault_test.go",
	Server: vaultServer,
	Own:    "`*ResponseError`",
	Call: func(t *testing.T, baseURL string, client *http.Client) measure.Answer {
		return writeVault(t, newVaultConfig(baseURL, client), "")
	},
	Facts: []measure.Fact{
		{Says: "a token that it holds itself is replaced on the wire", Test: vaultOwnToken},
		{Says: "`routeauth.CheckRetry` as its `CheckRetry` makes it one request", Test: vaultCheckRetry},
	},
}

// newVaultConfig returns its defaults, but for the patience.
func newVaultConfig(baseURL string, client *http.Client) *api.Config {
	config := api.DefaultConfig()
	config.Address, config.HttpClient = baseURL, client
	config.MinRetryWait, config.MaxRetryWait = time.Millisecond, time.Millisecond
	return config
}

func writeVault(t *testing.T, config *api.Config, token string) measure.Answer {
	client, err := api.NewClient(config)
	require.NoError(t, err)
	client.SetToken(token)
	_, err = client.Logical().WriteWithContext(t.Context(), "secret/data/a", map[string]any{"data": map[string]any{"a": 1}})
	var own *api.ResponseError
	return measure.Answer{Err: err, Own: errors.As(err, &own) && own.StatusCode == http.StatusUnauthorized}
}

func vaultOwnToken(t *testing.T) {
	server := vaultServer.Start(t)
	require.NoError(t, writeVault(t, newVaultConfig(server.URL, server.Client(t, measure.Right)), "its-own").Err)
	assert.Equal(t, 1, server.Served())
}

func vaultCheckRetry(t *testing.T) {
	server := vaultServer.Start(t)
	config := newVaultConfig(server.URL, server.Client(t, measure.Wrong))
	config.CheckRetry = routeauth.CheckRetry(api.DefaultRetryPolicy)
	require.ErrorIs(t, writeVault(t, config, "").Err, routeauth.ErrUnauthorized)
	assert.Equal(t, 1, server.Rejected())
}
