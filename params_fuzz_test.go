package routeauth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
)

// countedField counts how often a field stands in an object.
type countedField int

func (c *countedField) UnmarshalJSON([]byte) error {
	*c++
	return nil
}

// bodyParamsModel is rule 15 on top of what encoding/json makes of a whole
// object. The names are digits, since encoding/json does not tell the case of
// the letters in a name.
func bodyParamsModel(body string) (want routeauth.Params, ok bool) {
	var texts map[string]json.RawMessage
	var values map[string]any
	var counts struct {
		Zero countedField `json:"0"`
		One  countedField `json:"1"`
	}
	if len(body) > 1<<20 || !utf8.ValidString(body) || json.Unmarshal([]byte(body), &texts) != nil || texts == nil {
		return nil, false
	}
	_ = json.Unmarshal([]byte(body), &values) // a number may be out of range, which is no fault
	_ = json.Unmarshal([]byte(body), &counts)
	if counts.Zero > 1 || counts.One > 1 {
		return nil, false
	}
	want = routeauth.Params{}
	for _, name := range []string{"0", "1"} {
		text, present := texts[name]
		if !present {
			continue
		}
		switch value := values[name].(type) {
		case nil:
			if string(text) != "null" { // out of range
				want[name] = string(text)
			}
		case string:
			want[name] = value
		case []any:
			want[name] = string(text)
			if list, all := allStrings(value); all {
				want[name] = strings.Join(list, ",")
			}
		default:
			want[name] = string(text)
		}
	}
	return want, true
}

func allStrings(values []any) (list []string, all bool) {
	for _, value := range values {
		text, is := value.(string)
		if !is {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

// FuzzBodyParams compares BodyParams with encoding/json. Rule 15.
func FuzzBodyParams(f *testing.F) {
	for _, test := range badBodies {
		if len(test.body) < 1<<10 {
			f.Add(strings.NewReplacer(`"a"`, `"0"`, `"\u0061"`, `"\u0030"`).Replace(test.body))
		}
	}
	for _, body := range []string{
		`{"0": "x", "1": "y"}`, `{"0": ["x", "y"], "1": []}`, `{"0": ["x", null], "1": [1]}`, `{"0": null}`,
		`{"0": 1e3, "1": 1.0}`, `{"0": 1e999, "1": -0}`, `{"0": {"1": 2}, "\u0031": "\ud83d\udd11\ud800"}`,
		`{"": 0, "0 ": 1, "00": 2}`, ` {"0" : [ "a,b" ,"\"" ] , "1":{ } } `, "{\"0\": \"\xff\", \"\xff\": 1}", `{"2": 1, "2": 2}`,
		`{"0":[[[[]]]],"1":true}`,
	} {
		f.Add(body)
	}
	take := routeauth.BodyParams("0", "1")
	f.Fuzz(func(t *testing.T, body string) {
		params, err := take(bodyRequest(t, body))
		want, ok := bodyParamsModel(body)
		if !ok {
			assert.Error(t, err)
			assert.Nil(t, params)
			return
		}
		assert.NoError(t, err)
		assert.Equal(t, want, params)
	})
}
