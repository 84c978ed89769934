package routeauth

import "fmt"

// apply applies options to a configuration and returns what is wrong with them.
func apply[C any, O ~func(*C) error](config *C, what string, opts []O) (errs []error) {
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, fmt.Errorf("%s option is nil", what))
			continue
		}
		errs = append(errs, opt(config))
	}
	return errs
}

// checkLimit returns the error of an option whose value is out of its range.
func checkLimit(ok bool, what string, got any, want string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s is %v: it must be %s", what, got, want)
}

// errNotConstructed returns the error of a zero value that is used.
func errNotConstructed(what, constructor string) error {
	return Permanent(fmt.Errorf("the %s was not made by %s", what, constructor))
}
