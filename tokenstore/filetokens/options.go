package filetokens

import (
	"fmt"
	"time"
)

// Option changes what a [Source] does.
type Option func(*settings) error

type settings struct{ fetchTimeout time.Duration }

// WithFetchTimeout sets how long one process waits for another's fetch before it
// fetches for itself. A fetch is not cut off while somebody waits for it, which
// is the business of the caller's context or of [routeauth.WithFetchTimeout]; one
// that nobody waits for ends after this time. It should be well under that of the
// [routeauth.TokenCache] above, which has to last for waiting and fetching. The
// default is 10 seconds, against the cache's 30; 0 or less is an error of the
// constructor.
func WithFetchTimeout(d time.Duration) Option {
	return func(s *settings) error {
		s.fetchTimeout = d
		if d <= 0 {
			return &ConfigError{What: "fetch timeout", Problem: fmt.Sprintf("is %v: it must be more than 0", d)}
		}
		return nil
	}
}
