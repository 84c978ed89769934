package openapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Option changes what [Document.Routes] and [Document.Operations] make of a
// document.
type Option func(*config) error

type config struct{ optionalSchemes []string }

// WithOptionalScheme makes operations optional that take the security scheme of
// that name, alone or as an alternative: it is the weaker credential, such as an
// identifier that ships inside apps. An operation that asks for it together with
// another scheme stays mandatory. It may be given several times. A name that the
// document does not have is an error of [Document.Routes].
func WithOptionalScheme(name string) Option {
	return func(c *config) error {
		if name == "" {
			return errors.New("the name of the optional scheme is empty")
		}
		c.optionalSchemes = append(c.optionalSchemes, name)
		return nil
	}
}

// configure applies options and returns everything that is wrong with them.
func (d *Document) configure(opts []Option) (c config, errs []error) {
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		if err := opt(&c); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range c.optionalSchemes {
		if !d.schemes[name] {
			errs = append(errs, fmt.Errorf("the document has no security scheme %q that could be optional; it has %s", name, d.schemeNames()))
		}
	}
	return c, errs
}

func (d *Document) schemeNames() string {
	if len(d.schemes) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(d.schemes)), ", ")
}
