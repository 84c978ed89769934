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
	err = c.call(ctx, "POST", "/uploaded_images", writer.FormDataContentType(), form.Bytes(), &uploaded)
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
	err = c.call(ctx, "POST", "/sku_images_operations", "application/json", body, &started)
	if err == nil && started.OperationID == "" {
		err = errors.New("the answer has no operation_id")
	}
	return started.OperationID, err
}

// wait polls an operation until it ends and returns the URLs of its images.
func (c apiClient) wait(ctx context.Context, operationID string) ([]string, error) {
	for polls := 0; ; polls++ {
		select {
		case <-time.After(c.interval(polls)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		var operation struct {
			Status          string
			Error           string
			GeneratedImages []struct{ URL string } `json:"generated_images"`
		}
		if err := c.call(ctx, "GET", "/sku_images_operations/"+url.PathEscape(operationID), "", nil, &operation); err != nil {
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
		default:
			return nil, fmt.Errorf("the operation ended as %q: %q", operation.Status, operation.Error)
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

// fetch downloads an image from wherever the API stored it and returns its
// size.
func (c apiClient) fetch(ctx context.Context, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, statusError(resp)
	}
	return io.Copy(io.Discard, resp.Body)
}

// call sends one request and decodes the JSON that it is answered with.
func (c apiClient) call(ctx context.Context, method, path, contentType string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.baseURL+path, bytes.NewReader(body))
	if err != nil {
		return err
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
