package scope

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// decoded returns the bytes of text, decoded to the end: every escape, however
// often it was escaped, %uXXXX, UTF-8 that is longer than it must be, and the
// full-width forms of the characters that matter in a path.
//
// A sequence is decoded as soon as its last character is there. No two kinds of
// sequences overlap, so any other order comes to the same. It takes linear time,
// and memory only where sequences lie in each other many levels deep.
func decoded(text string) iter.Seq[byte] {
	return func(yield func(byte) bool) {
		var buffer [32]byte
		pending := buffer[:0] // bytes that may be part of a sequence with what follows
		for i := range len(text) {
			var open bool
			if pending, open = decodeEnd(append(pending, text[i])); open {
				continue
			}
			for _, c := range pending {
				if !yield(c) {
					return
				}
			}
			pending = pending[:0]
		}
		for _, c := range pending {
			if !yield(c) {
				return
			}
		}
	}
}

// decodeEnd decodes the sequence at the end of text, and what that completes in
// turn. It reports whether text now ends in the beginning of a sequence.
func decodeEnd(text []byte) (decoded []byte, open bool) {
	for {
		begin := lastBegin(text)
		if begin < 0 {
			return text, false
		}
		sequence := text[begin:]
		switch size := sizeOf(sequence); {
		case len(sequence) < size:
			return text, true
		case len(sequence) > size: // and so if there is none
			return text, false
		case size == len("%uXXXX") && sequence[0] == '%':
			text = utf8.AppendRune(text[:begin], rune(hexadecimal(sequence[2:])))
		case sequence[0] == '%':
			text = append(text[:begin], byte(hexadecimal(sequence[1:])))
		default:
			c, ok := asciiOf(sequence)
			if !ok {
				return text, false
			}
			text = append(text[:begin], c)
		}
	}
}

// lastBegin returns where the last sequence of text begins. None has another one
// in it that is not decoded yet.
func lastBegin(text []byte) int {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '%' || text[i] >= 0xc0 {
			return i
		}
	}
	return -1
}

// sizeOf returns how long a sequence is that has begun, or 0 if it cannot become
// one that is decoded.
func sizeOf(sequence []byte) int {
	if sequence[0] != '%' {
		return sizeOfUTF8(sequence)
	}
	size, digits := len("%XX"), sequence[1:]
	if len(digits) > 0 && digits[0]|0x20 == 'u' {
		size, digits = len("%uXXXX"), digits[1:]
	}
	for _, c := range digits {
		if !isHex(c) {
			return 0
		}
	}
	return size
}

// sizeOfUTF8 knows those sequences alone that may stand for an ASCII character.
func sizeOfUTF8(sequence []byte) int {
	for _, c := range sequence[1:] {
		if c&0xc0 != 0x80 {
			return 0
		}
	}
	return lengthByFirst(sequence[0])
}

// lengthByFirst returns how long such a sequence is that begins with c, or 0 if
// none does.
func lengthByFirst(c byte) int {
	switch c {
	case 0xc0, 0xc1:
		return 2
	case 0xe0, 0xef:
		return 3
	case 0xf0:
		return 4
	case 0xf8:
		return 5
	case 0xfc:
		return 6
	}
	return 0
}

// asciiOf returns the ASCII character that a UTF-8 sequence stands for, because
// it is longer than it must be or a full-width form that matters in a path.
func asciiOf(sequence []byte) (c byte, ok bool) {
	r := rune(sequence[0] & (0x7f >> len(sequence)))
	for _, c := range sequence[1:] {
		r = r<<6 | rune(c&0x3f)
	}
	if len(sequence) == 3 && r > 0xfee0 && strings.ContainsRune(`./\%;?#`, r-0xfee0) {
		r -= 0xfee0
	}
	return byte(r), r < utf8.RuneSelf
}

func hexadecimal(digits []byte) (value uint16) {
	for _, c := range digits {
		value = value<<4 | uint16(unhex(c))
	}
	return value
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
