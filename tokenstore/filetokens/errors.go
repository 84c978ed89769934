package filetokens

// ConfigError is one thing that is wrong with what [New] was given. New joins
// all of them; [errors.As] finds the first.
type ConfigError struct {
	// What is wrong: "folder", "token source", "option 2" (counted from 1) or
	// "fetch timeout".
	What string
	// Problem says what is wrong with it and what to do.
	Problem string
	// Err is the error of the file system, such as a [*io/fs.PathError], or nil.
	Err error
}

// Error is "filetokens: ", What, Problem and Err.
func (e *ConfigError) Error() string {
	if e == nil {
		return "filetokens: no error"
	}
	text := "filetokens: " + e.What + " " + e.Problem
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
