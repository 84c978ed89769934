package aiutatest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxUpload is the size of the largest upload, form and all.
const maxUpload = 16 << 20

// imageKind says how an image came to be. It is the first part of its ID.
type imageKind string

const (
	uploaded   imageKind = "user_image"
	generated  imageKind = "gen_image"
	predefined imageKind = "model_image"
)

// imageInfo is an image as the APIs describe it.
type imageInfo struct {
	ID        string `json:"id"`
	OwnerType string `json:"owner_type"`
	URL       string `json:"url"`
}

// storedImage is an image with its content, which nobody changes.
type storedImage struct {
	imageInfo
	kind        imageKind
	contentType string
	content     func() []byte
}

// imageStore holds the images of a server.
type imageStore struct {
	storageURL string // ends with a slash

	// The images of the predefined try-on models. The first has the ID
	// ModelImageID.
	woman, man imageInfo

	mu    sync.Mutex
	count map[imageKind]int
	byID  map[string]storedImage
}

func newImageStore(storageURL string) *imageStore {
	s := &imageStore{
		storageURL: storageURL,
		count:      make(map[imageKind]int),
		byID:       make(map[string]storedImage),
	}
	s.woman = s.addPicture(predefined, picture)
	s.man = s.addPicture(predefined, picture)
	return s
}

// add keeps an image and gives it an ID.
func (s *imageStore) add(kind imageKind, contentType string, content func() []byte) imageInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[kind]++
	id := fmt.Sprintf("%s-%d", kind, s.count[kind])
	owner := "user"
	if kind == predefined {
		owner = "aiuta"
	}
	info := imageInfo{id, owner, s.storageURL + id}
	s.byID[id] = storedImage{info, kind, contentType, content}
	return info
}

func (s *imageStore) find(id string) (image storedImage, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	image, found = s.byID[id]
	return image, found
}

// existing returns those of the images that were not deleted.
func (s *imageStore) existing(images []imageInfo) []imageInfo {
	found := []imageInfo{}
	for _, image := range images {
		if _, exists := s.find(image.ID); exists {
			found = append(found, image)
		}
	}
	return found
}

// endpoints returns those that all APIs have for images.
func (s *imageStore) endpoints() endpoints {
	return endpoints{
		"POST /uploaded_images":               s.upload,
		"GET /uploaded_images/{image_id}":     s.describe,
		"DELETE /uploaded_images/{image_id}":  s.deleteKind(uploaded),
		"DELETE /generated_images/{image_id}": s.deleteKind(generated),
	}
}

func (s *imageStore) upload(w http.ResponseWriter, req *http.Request) *apiError {
	contentType, content, err := readImage(w, req)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.add(uploaded, contentType, func() []byte { return content }))
	return nil
}

// readImage returns the file image_data of a multipart form.
func readImage(w http.ResponseWriter, req *http.Request) (contentType string, content []byte, _ *apiError) {
	missing := invalidField{[]any{"body", "image_data"}, "is required, as a file of a multipart form", "missing"}
	req.Body = http.MaxBytesReader(w, req.Body, maxUpload)
	parts, err := req.MultipartReader()
	if err != nil {
		return "", nil, unprocessable(missing)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, unprocessable(missing)
		}
		if err != nil {
			return "", nil, bodyError(err)
		}
		if part.FormName() != "image_data" || part.FileName() == "" {
			continue
		}
		if content, err = io.ReadAll(part); err != nil {
			return "", nil, bodyError(err)
		}
		if contentType = part.Header.Get("Content-Type"); contentType == "" {
			contentType = "image/png"
		}
		return contentType, content, nil
	}
}

func (s *imageStore) describe(w http.ResponseWriter, req *http.Request) *apiError {
	image, found := s.find(req.PathValue("image_id"))
	if !found || image.kind != uploaded {
		return notFound("uploaded image")
	}
	writeJSON(w, http.StatusOK, image.imageInfo)
	return nil
}

// deleteKind returns an endpoint that deletes images of one kind.
func (s *imageStore) deleteKind(kind imageKind) handlerFunc {
	return func(w http.ResponseWriter, req *http.Request) *apiError {
		if !s.remove(kind, req.PathValue("image_id")) {
			return notFound("image that can be deleted here")
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// remove forgets an image and reports whether there was one of the kind.
func (s *imageStore) remove(kind imageKind, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	image, found := s.byID[id]
	if !found || image.kind != kind {
		return false
	}
	delete(s.byID, id)
	return true
}

// download serves the content of an image of any kind.
func (s *imageStore) download(w http.ResponseWriter, req *http.Request) *apiError {
	image, found := s.find(req.PathValue("image_id"))
	if !found {
		return notFound("image")
	}
	w.Header().Set("Content-Type", image.contentType)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(image.content()))
	return nil
}

// addPicture keeps an image that the server makes itself. It is made when it is
// first downloaded, since few are.
func (s *imageStore) addPicture(kind imageKind, draw func() []byte) imageInfo {
	return s.add(kind, "image/png", sync.OnceValue(draw))
}
