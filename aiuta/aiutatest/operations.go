package aiutatest

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// The statuses that a server's operations go through.
const (
	statusCreated    = "CREATED"
	statusInProgress = "IN_PROGRESS"
	statusSuccess    = "SUCCESS"
)

// generator is what all generations of a server share.
type generator struct {
	images      *imageStore
	statusCalls int          // the last of which finds SUCCESS
	started     atomic.Int64 // how many generations
}

// status returns what the status call of the given number finds.
func (g *generator) status(call int) string {
	switch {
	case call >= g.statusCalls:
		return statusSuccess
	case call == 1:
		return statusCreated
	}
	return statusInProgress
}

// generate makes images that draw draws.
func (g *generator) generate(count int, draw func() []byte) []imageInfo {
	images := make([]imageInfo, count)
	for i := range images {
		images[i] = g.images.addPicture(generated, draw)
	}
	return images
}

// operations are those of one endpoint. R is what such an operation is started
// with.
type operations[R any] struct {
	generator *generator
	name      string              // the first part of an operation's ID
	count     func(request R) int // how many images it generates

	// draw returns such an image. Where it is nil, they show the try-on model.
	draw func(request R) []byte

	// show returns the answer to a status call. There are no images before
	// SUCCESS.
	show func(state operationState, request R, images []imageInfo) any

	mu   sync.Mutex
	byID map[string]*operation[R]
}

type operation[R any] struct {
	request R
	calls   int // for its status
	images  []imageInfo
}

// operationState is what the answers to all status calls begin with.
type operationState struct {
	ID     string  `json:"id"`
	Status string  `json:"status"`
	Error  *string `json:"error"` // null: no operation fails
}

// startedOperation is the answer to a request that starts an operation.
type startedOperation struct {
	OperationID string `json:"operation_id"`
}

// start starts an operation.
func (o *operations[R]) start(request R) startedOperation {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID == nil {
		o.byID = make(map[string]*operation[R])
	}
	id := fmt.Sprintf("%s_op-%d", o.name, len(o.byID)+1)
	o.byID[id] = &operation[R]{request: request}
	o.generator.started.Add(1)
	return startedOperation{id}
}

// request returns what an operation was started with.
func (o *operations[R]) request(id string) (request R, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, found := o.byID[id]
	if found {
		request = op.request
	}
	return request, found
}

// status is the endpoint of status calls.
func (o *operations[R]) status(w http.ResponseWriter, req *http.Request) *apiError {
	answer, found := o.call(req.PathValue("operation_id"))
	if !found {
		return notFound("operation")
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// call counts a status call and returns the answer to it.
func (o *operations[R]) call(id string) (answer any, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, found := o.byID[id]
	if !found {
		return nil, false
	}
	op.calls++
	state := operationState{ID: id, Status: o.generator.status(op.calls)}
	if state.Status == statusSuccess && op.images == nil {
		draw := picture
		if o.draw != nil {
			draw = func() []byte { return o.draw(op.request) }
		}
		op.images = o.generator.generate(o.count(op.request), draw)
	}
	return o.show(state, op.request, op.images), true
}
