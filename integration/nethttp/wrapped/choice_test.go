package wrapped_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/routeauth/integration/nethttp/wrapped"
)

func setenv(t *testing.T, env []string) {
	t.Helper()
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

func TestTheEnvironmentNamesAChoice(t *testing.T) {
	for _, w := range wrapped.Wrappers() {
		for _, place := range []wrapped.Place{wrapped.Above, wrapped.Below} {
			setenv(t, wrapped.Choice{Wrapper: w, Place: place}.Env())
			got, err := wrapped.Chosen()
			require.NoError(t, err)
			assert.Equal(t, w.Name, got.Wrapper.Name)
			assert.Equal(t, place, got.Place)
		}
	}
}

func TestAnEmptyEnvironmentNamesNone(t *testing.T) {
	setenv(t, wrapped.Choice{}.Env())
	got, err := wrapped.Chosen()
	require.NoError(t, err)
	assert.Empty(t, got.Place)
}

func TestAnEnvironmentWithAMistakeIsAnError(t *testing.T) {
	setenv(t, wrapped.Choice{Wrapper: wrapped.Wrapper{Name: "none"}, Place: wrapped.Above}.Env())
	_, err := wrapped.Chosen()
	require.ErrorContains(t, err, `"none": there is no such wrapper`)

	setenv(t, wrapped.Choice{Wrapper: wrapped.Wrappers()[0], Place: "beside"}.Env())
	_, err = wrapped.Chosen()
	require.ErrorContains(t, err, `"beside": there is no such place`)
}
