package aiutatest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
)

// skuItems is the catalog of the Unified API.
type skuItems struct {
	images *imageStore

	mu    sync.Mutex
	count int       // of all that there ever were
	items []skuItem // in the order of their creation
}

// index returns where a product is, or -1. The caller holds the lock.
func (s *skuItems) index(id string) int {
	return slices.IndexFunc(s.items, func(i skuItem) bool { return i.SKUID == id })
}

func (s *skuItems) find(id string) (skuItem, *apiError) {
	return s.change(id, func(*skuItem) {})
}

// change changes a product and returns it as it is then.
func (s *skuItems) change(id string, change func(*skuItem)) (skuItem, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return skuItem{}, notFound("SKU item")
	}
	change(&s.items[i])
	return s.items[i], nil
}

// add keeps a new product and returns it with its internal ID.
func (s *skuItems) add(item skuItem) (skuItem, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index(item.SKUID) >= 0 {
		return skuItem{}, conflict("there is an SKU item of this ID")
	}
	s.count++
	item.InternalID = fmt.Sprintf("sku_item-%d", s.count)
	s.items = append(s.items, item)
	return item, nil
}

// remove forgets a product and reports whether there was one.
func (s *skuItems) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.items)
	s.items = slices.DeleteFunc(s.items, func(i skuItem) bool { return i.SKUID == id })
	return len(s.items) < before
}

// skuPage is a part of the catalog.
type skuPage struct {
	Items []skuItem `json:"items"`
	Total int       `json:"total"`
	Next  *int      `json:"next_offset"` // null on the last page
}

func (s *skuItems) page(offset, limit int) skuPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := len(s.items)
	first := min(offset, total)
	end := min(first+limit, total)
	page := skuPage{Items: append([]skuItem{}, s.items[first:end]...), Total: total}
	if end < total {
		page.Next = &end
	}
	return page
}

func (s *skuItems) list(w http.ResponseWriter, req *http.Request) *apiError {
	q := query{req: req}
	offset, limit := q.number("offset", 0, 0, math.MaxInt), q.number("limit", 10, 1, 500)
	if err := unprocessable(q.invalid...); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.page(offset, limit))
	return nil
}

func (s *skuItems) create(w http.ResponseWriter, req *http.Request) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	item, err := readItem(f, s.images)
	if err == nil {
		item, err = s.add(item)
	}
	return writeItem(w, http.StatusCreated, item, err)
}

func (s *skuItems) get(w http.ResponseWriter, req *http.Request) *apiError {
	item, err := s.find(req.PathValue("sku_id"))
	return writeItem(w, http.StatusOK, item, err)
}

func (s *skuItems) delete(w http.ResponseWriter, req *http.Request) *apiError {
	if !s.remove(req.PathValue("sku_id")) {
		return notFound("SKU item")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *skuItems) replaceCapabilities(w http.ResponseWriter, req *http.Request) *apiError {
	return s.replace(w, req, func(f *form) func(*skuItem) {
		capabilities := readCapabilities(f)
		return func(item *skuItem) { item.enable(capabilities) }
	})
}

func (s *skuItems) replaceMerchandising(w http.ResponseWriter, req *http.Request) *apiError {
	return s.replace(w, req, func(f *form) func(*skuItem) {
		merchandising := readMerchandising(f)
		return func(item *skuItem) { item.Merchandising = merchandising }
	})
}

// replace changes a product by what read finds in the body.
func (s *skuItems) replace(w http.ResponseWriter, req *http.Request, read func(*form) func(*skuItem)) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	change := read(f)
	if err := f.err(); err != nil {
		return err
	}
	item, err := s.change(req.PathValue("sku_id"), change)
	return writeItem(w, http.StatusOK, item, err)
}

// writeItem answers with a product, or returns why there is none.
func writeItem(w http.ResponseWriter, status int, item skuItem, err *apiError) *apiError {
	if err == nil {
		writeJSON(w, status, item)
	}
	return err
}

// recommend answers with outfits around a product. The OpenAPI file demands the
// product as the first item of each, and exactly as many as were asked for;
// these have no other item.
func (s *skuItems) recommend(w http.ResponseWriter, req *http.Request) *apiError {
	q := query{req: req}
	count := q.number("count", 3, 1, 5)
	if err := unprocessable(q.invalid...); err != nil {
		return err
	}
	item, err := s.find(req.PathValue("sku_id"))
	if err != nil {
		return err
	}
	if !item.Capabilities.Recommendations {
		return conflict("the SKU item has no outfit recommendations enabled")
	}
	type outfit struct {
		ID     string   `json:"id"`
		SKUIDs []string `json:"sku_ids"`
	}
	outfits := make([]outfit, count)
	for i := range outfits {
		outfits[i] = outfit{fmt.Sprintf("outfit-%d", i+1), []string{item.SKUID}}
	}
	writeJSON(w, http.StatusOK, outfits)
	return nil
}
