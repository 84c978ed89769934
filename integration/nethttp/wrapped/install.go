//go:build nethttphook

package wrapped

import "net/http"

// In the copy of Go's sources, package http has these two variables.
func init() {
	choice, err := Chosen()
	switch {
	case err != nil:
		panic(err)
	case choice.Place == Above:
		http.HookClient = choice.Wrapper.Wrap
	case choice.Place == Below:
		http.HookTransport = choice.Wrapper.Wrap
	}
}
