package issuer

import "errors"

// apply applies opts to c and returns what is wrong with them.
func apply[C any, O ~func(*C) error](c *C, opts []O) (errs []error) {
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errors.New("issuer: option is nil"))
			continue
		}
		errs = append(errs, opt(c))
	}
	return errs
}
