package redistokens

// ConfigError is one thing that is wrong with what [New] was given. New joins
// all of them; [errors.As] finds the first.
type ConfigError struct {
	// What is wrong: "client", "token source", "option 2" (counted from 1),
	// "namespace", "encryption key", "refresh before" or "fetch timeout".
	What string
	// Problem says what is wrong with it and what to do. It never holds the
	// encryption key.
	Problem string
}

// Error is "redistokens: ", What and Problem.
func (e *ConfigError) Error() string {
	if e == nil {
		return "redistokens: no error"
	}
	return "redistokens: " + e.What + " " + e.Problem
}
