package aiutatest_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plain is a picture of one colour.
func plain(width, height int) image.Image {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	return picture
}

func encoded(t *testing.T, picture image.Image, asJPEG bool) string {
	t.Helper()
	var file bytes.Buffer
	if asJPEG {
		require.NoError(t, jpeg.Encode(&file, picture, nil))
	} else {
		require.NoError(t, png.Encode(&file, picture))
	}
	return file.String()
}

// blackPNG returns a black line of pixels. It writes what package png would, in a
// hundredth of the time.
func blackPNG(t *testing.T, width int) string {
	t.Helper()
	var pixels bytes.Buffer
	compressed := zlib.NewWriter(&pixels)
	_, err := compressed.Write(make([]byte, 1+(width+7)/8)) // no filter, one bit a pixel
	require.NoError(t, err)
	require.NoError(t, compressed.Close())

	file := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
		typed := append([]byte(kind), data...)
		file = binary.BigEndian.AppendUint32(append(file, typed...), crc32.ChecksumIEEE(typed))
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), 1)
	chunk("IHDR", append(size, 1, 0, 0, 0, 0)) // depth, grey, deflate, filters, no interlace
	chunk("IDAT", pixels.Bytes())
	chunk("IEND", nil)
	return string(file)
}

// tryOnResult uploads a file, tries SKUs on and returns the picture.
func tryOnResult(t *testing.T, server *aiutatest.Server, file, skus string) image.Image {
	t.Helper()
	base := server.DigitalTryOnURL()
	id := upload(t, server, base, file).text(t, "id")
	started := send(t, server, "POST", base+"/sku_images_operations", apiKey(),
		fmt.Sprintf(`{"uploaded_image_id": %q, "sku_ids": %s}`, id, skus))
	require.Equal(t, http.StatusOK, started.status, started.body)
	done := send(t, server, "GET", base+"/sku_images_operations/"+started.text(t, "operation_id"), apiKey(), "")
	url := done.decoded(t)["generated_images"].([]any)[0].(map[string]any)["url"].(string)
	return downloaded(t, server, url)
}

func downloaded(t *testing.T, server *aiutatest.Server, url string) image.Image {
	t.Helper()
	picture, err := png.Decode(strings.NewReader(send(t, server, "GET", url, nil, "").body))
	require.NoError(t, err)
	return picture
}

// differing counts the pixels in which two pictures of one size differ.
func differing(a, b image.Image) (count int) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if color.NRGBAModel.Convert(a.At(x, y)) != color.NRGBAModel.Convert(b.At(x, y)) {
				count++
			}
		}
	}
	return count
}

func TestATryOnDrawsAGarmentOverTheUploadedPicture(t *testing.T) {
	server := newServer(t, aiutatest.Config{InProcess: true, StatusCalls: 1})
	for _, size := range []image.Point{{120, 160}, {300, 80}, {1, 1}} {
		person := plain(size.X, size.Y)
		result := tryOnResult(t, server, encoded(t, person, false), `["a"]`)
		require.Equal(t, person.Bounds(), result.Bounds())
		changed, pixels := differing(person, result), size.X*size.Y
		if pixels > 1 {
			assert.Equal(t, person.At(0, 0), color.NRGBAModel.Convert(result.At(0, 0)), "the corner of %v", size)
			assert.Greater(t, changed, pixels/50, "of %v", size)
			assert.Less(t, changed, pixels/2, "of %v", size)
		}
	}
}

func TestAGarmentLooksAsItsSKUs(t *testing.T) {
	server := newServer(t, aiutatest.Config{InProcess: true, StatusCalls: 1})
	file := encoded(t, plain(60, 80), true)
	shirt := tryOnResult(t, server, file, `["shirt"]`)
	assert.Zero(t, differing(shirt, tryOnResult(t, server, file, `["shirt"]`)))
	assert.NotZero(t, differing(shirt, tryOnResult(t, server, file, `["jeans"]`)))
	assert.NotZero(t, differing(shirt, tryOnResult(t, server, file, `["shirt", "jeans"]`)))
}

func TestAGarmentIsDrawnOverTheModelWhereAnUploadIsNoPicture(t *testing.T) {
	server := newServer(t, aiutatest.Config{InProcess: true, StatusCalls: 1})
	model := downloaded(t, server, server.URL+"/storage/"+aiutatest.ModelImageID)
	for name, file := range map[string]string{"no picture": "me", "too large": blackPNG(t, 16<<20+1)} {
		result := tryOnResult(t, server, file, `["a"]`)
		require.Equal(t, model.Bounds(), result.Bounds(), name)
		assert.NotZero(t, differing(model, result), name)
	}
}
