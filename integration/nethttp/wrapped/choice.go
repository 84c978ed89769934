package wrapped

import (
	"fmt"
	"os"
)

// Place is where a wrapper stands.
type Place string

const (
	Above Place = "above" // an http.Client's transport is wrapped
	Below Place = "below" // all that http.Transport.RoundTrip does is wrapped
)

// Choice is a wrapper at a place, as the environment of a test binary names it.
type Choice struct {
	Wrapper Wrapper
	Place   Place
	// KeepUnauthorized is for a wrapper with ByNew: a 401 stays a response.
	KeepUnauthorized bool
}

const (
	envWrapper          = "ROUTEAUTH_WRAPPER"
	envPlace            = "ROUTEAUTH_PLACE"
	envKeepUnauthorized = "ROUTEAUTH_KEEP_UNAUTHORIZED"
)

// keepUnauthorized is what the environment says of it.
var keepUnauthorized = os.Getenv(envKeepUnauthorized) != ""

// Env returns c as environment variables.
func (c Choice) Env() []string {
	env := []string{envWrapper + "=" + c.Wrapper.Name, envPlace + "=" + string(c.Place)}
	if c.KeepUnauthorized {
		env = append(env, envKeepUnauthorized+"=1")
	}
	return env
}

// Chosen returns what the environment names. The zero Choice is none.
func Chosen() (Choice, error) {
	name := os.Getenv(envWrapper)
	if name == "" {
		return Choice{}, nil
	}
	c := Choice{Place: Place(os.Getenv(envPlace)), KeepUnauthorized: keepUnauthorized}
	if c.Place != Above && c.Place != Below {
		return Choice{}, fmt.Errorf("%s is %q: there is no such place", envPlace, c.Place)
	}
	for _, w := range Wrappers() {
		if w.Name == name {
			c.Wrapper = w
			return c, nil
		}
	}
	return Choice{}, fmt.Errorf("%s is %q: there is no such wrapper", envWrapper, name)
}

// String returns the place and the wrapper's name.
func (c Choice) String() string { return string(c.Place) + " " + c.Wrapper.Name }
