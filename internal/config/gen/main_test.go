package main

import (
	"bytes"
	"os"
	"testing"
)

// TestUpToDate fails when decode_gen.go is not what the specification's types give.
func TestUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../" + output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, have) {
		t.Error("decode_gen.go is out of date: run go generate ./internal/config")
	}
}
