package wasm

// Outcome is what became of one request. The command in program prints one line
// of JSON for each.
type Outcome struct {
	URL    string
	Status int    // 0 if there is an error
	Body   string // of the response
	Error  string
}
