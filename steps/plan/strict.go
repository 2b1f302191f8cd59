package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// deepest bounds how deep a plan may be nested: a policy document needs six
// levels of its own.
const deepest = 64

// strictly refuses what encoding/json takes in silence: keys in another
// spelling, keys that stand twice, of which the last would count, and text
// behind the end.
func strictly(text []byte) error {
	w := keyWalk{json.NewDecoder(bytes.NewReader(text))}
	if err := w.value(reflect.TypeFor[Plan](), "the plan", 0); err != nil {
		return err
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text behind its end")
	}
	return nil
}

// keyWalk reads a text token by token beside the type that it is decoded into.
type keyWalk struct{ decoder *json.Decoder }

// value reads one value. The type is nil where no key is known beforehand.
func (w keyWalk) value(t reflect.Type, in string, depth int) error {
	if depth > deepest {
		return errors.New("it is nested too deep")
	}
	token, err := w.decoder.Token()
	if errors.Is(err, io.EOF) {
		return errors.New("it ends too early")
	}
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return w.object(t, in, depth)
	case json.Delim('['):
		for w.decoder.More() {
			if err := w.value(elementOf(t), in, depth+1); err != nil {
				return err
			}
		}
		_, err = w.decoder.Token()
	}
	return err
}

func (w keyWalk) object(t reflect.Type, in string, depth int) error {
	known, strict := keysOf(t)
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return errors.New("a key is no text")
		}
		if seen[key] {
			return fmt.Errorf("the key %q stands twice in %s", key, in)
		}
		seen[key] = true
		below, ok := known[key]
		if strict && !ok {
			return fmt.Errorf("the key %q is unknown in %s", key, in)
		}
		if !strict {
			below = elementOf(t)
		}
		if err := w.value(below, key, depth+1); err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	return err
}

// keysOf are the keys of a struct with their types; strict is false where any
// key may stand: in a map, and in a document, which is parsed apart.
func keysOf(t reflect.Type) (known map[string]reflect.Type, strict bool) {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, false
	}
	known = map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			known[name] = field.Type
		}
	}
	return known, true
}

func elementOf(t reflect.Type) reflect.Type {
	if t == nil || t == reflect.TypeFor[json.RawMessage]() || t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		return nil
	}
	return t.Elem()
}
