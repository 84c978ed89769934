package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
)

// apiClient calls the Digital Try-On API. It knows nothing of credentials: its
// http.Client does.
type apiClient struct {
	http     *http.Client
	baseURL  string
	interval func(polls int) time.Duration
	progress func(format string, args ...any)
}

// upload sends an image and returns its ID.
func (c apiClient) upload(ctx context.Context, name string, image []byte) (string, error) {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("image_data", name)
	if err != nil {
		return "", err
	}
	if _, err := part.Write(image); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	var uploaded struct{ ID string }
	sending := func(sent int) {
		c.progress("uploading: %d of %d kB", (sent+999)/1000, (form.Len()+999)/1000)
	}
	err = c.call(ctx, "POST", "/uploaded_images", writer.FormDataContentType(), form.Bytes(), sending, &uploaded)
	if err == nil && uploaded.ID == "" {
		err = errors.New("the answer has no id")
	}
	return uploaded.ID, err
}

// start starts a generation, which costs money, and returns the ID of its
// operation.
func (c apiClient) start(ctx context.Context, imageID, sku string) (string, error) {
	body, err := json.Marshal(map[string]any{"uploaded_image_id": imageID, "sku_ids": []string{sku}})
	if err != nil {
		return "", err
	}
	var started struct {
		OperationID string `json:"operation_id"`
	}
	err = c.call(ctx, "POST", "/sku_images_operations", "application/json", body, nil, &started)
	if err == nil && started.OperationID == "" {
		err = errors.New("the answer has no operation_id")
	}
	return started.OperationID, err
}

// wait polls an operation until it ends and returns the URLs of its images.
func (c apiClient) wait(ctx context.Context, operationID string) ([]string, error) {
	began, status := time.Now(), "started"
	for polls := 0; ; polls++ {
		if err := c.pause(ctx, c.interval(polls), func() {
			c.progress("generating: %s, %.1f s", status, time.Since(began).Seconds())
		}); err != nil {
			return nil, err
		}
		var operation struct {
			Status          string
			Error           string
			GeneratedImages []struct{ URL string } `json:"generated_images"`
		}
		if err := c.call(ctx, "GET", "/sku_images_operations/"+url.PathEscape(operationID), "", nil, nil, &operation); err != nil {
			return nil, err
		}
		switch operation.Status {
		case "SUCCESS":
			var urls []string
			for _, image := range operation.GeneratedImages {
				urls = append(urls, image.URL)
			}
			if len(urls) == 0 {
				return nil, errors.New("the operation ended without images")
			}
			return urls, nil
		case "CREATED", "IN_PROGRESS", "PAUSED":
			status = operation.Status
		default:
			return nil, fmt.Errorf("the operation ended as %q: %q", operation.Status, operation.Error)
		}
	}
}

// pause waits, and calls show now and then.
func (c apiClient) pause(ctx context.Context, d time.Duration, show func()) error {
	end := time.NewTimer(d)
	defer end.Stop()
	again := time.NewTicker(time.Second / 10)
	defer again.Stop()
	for {
		show()
		select {
		case <-end.C:
			return nil
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pollInterval is how the API's documentation wants it to be polled.
func pollInterval(polls int) time.Duration {
	switch {
	case polls < 4:
		return time.Second
	case polls < 24:
		return time.Second / 2
	}
	return 3 * time.Second
}

// fetch downloads an image from wherever the API stored it.
func (c apiClient) fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp)
	}
	image, err := io.ReadAll(io.LimitReader(resp.Body, maxImage+1))
	if err == nil && len(image) > maxImage {
		err = fmt.Errorf("the image has more than %d bytes", maxImage)
	}
	return image, err
}

// call sends one request and decodes the JSON that it is answered with. Where
// sending is not nil, it is told how much of the body was sent.
func (c apiClient) call(ctx context.Context, method, path, contentType string, body []byte, sending func(sent int), answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.baseURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if sending != nil {
		req.Body = &sendingBody{ReadCloser: req.Body, tell: sending}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("the answer is not what this API's is, is the base URL right? %w", err)
	}
	return nil
}

// statusError leaves the server's own words out, which may be anything.
func statusError(resp *http.Response) error {
	return fmt.Errorf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
}

// sendingBody tells how much of a body was read.
type sendingBody struct {
	io.ReadCloser
	sent int
	tell func(sent int)
}

func (b *sendingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sent += n
	b.tell(b.sent)
	return n, err
}
