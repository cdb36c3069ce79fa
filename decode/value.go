package decode

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// asJSON returns a YAML value as JSON has it, in the way that kubectl converts it:
// keys that are numbers or truth values become text. Whole numbers are int64.
func asJSON(value any) (any, error) {
	switch value := value.(type) {
	case map[any]any:
		return objectAsJSON(value)
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			var err error
			if items[i], err = asJSON(item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case int:
		return int64(value), nil
	case uint64: // above all of int64
		return float64(value), nil
	case float64:
		return numberAsJSON(value)
	case string:
		return strings.ToValidUTF8(value, string(utf8.RuneError)), nil // from !!binary
	default:
		return value, nil // int64, bool or nil
	}
}

func objectAsJSON(value map[any]any) (map[string]any, error) {
	object := make(map[string]any, len(value))
	for key, below := range value {
		name, err := keyAsJSON(key)
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("the key %s is written twice, with and without quotes: remove one", name)
		}
		if object[name], err = asJSON(below); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func keyAsJSON(key any) (string, error) {
	switch key := key.(type) {
	case string:
		return key, nil
	case int, int64, bool:
		return fmt.Sprint(key), nil
	case float64:
		return strconv.FormatFloat(key, 'g', -1, 32), nil
	}
	return "", fmt.Errorf("a key must be text, not %s: write it in quotes", show(key))
}

func numberAsJSON(value float64) (any, error) {
	switch {
	case math.IsInf(value, 0), math.IsNaN(value):
		return nil, fmt.Errorf("%v is no number that an object can have: write a finite one", value)
	case value == math.Trunc(value) && math.Abs(value) < 1<<63:
		return int64(value), nil
	}
	return value, nil
}

// notUTF8 returns where text stops to be UTF-8, -1 if nowhere.
func notUTF8(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
