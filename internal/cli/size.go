package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// bytesValue is an amount of memory: a number with or without a fraction, then k, m, g, t or p
// for powers of 1024, then b or ib; or −1 for no limit. As with runc, "" leaves it unset.
type bytesValue struct{ to **int64 }

func (v bytesValue) Set(s string) error {
	if s == "" {
		return nil
	}
	n, err := parseBytes(s)
	*v.to = &n
	return err
}

func parseBytes(s string) (int64, error) {
	if s == "-1" {
		return -1, nil
	}
	number := strings.ToLower(s)
	if cut, found := strings.CutSuffix(number, "b"); found {
		number = strings.TrimSuffix(cut, "i")
	}
	scale := 1.0
	if n := len(number); n > 0 {
		if i := strings.IndexByte("kmgtp", number[n-1]); i >= 0 {
			scale, number = math.Exp2(float64(10*(i+1))), number[:n-1]
		}
	}
	number = strings.TrimSuffix(number, " ")
	if strings.Trim(number, "0123456789.") != "" {
		return 0, errors.New("not a size such as 64m, 1.5g or -1")
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n <= math.MaxInt64/int64(scale) {
		return n * int64(scale), nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*scale >= math.MaxInt64 {
		return 0, errors.New("not a size such as 64m, 1.5g or -1")
	}
	return int64(f * scale), nil
}

// signedValue and unsignedValue are whole numbers, remembered as given also if they are 0.
type signedValue struct{ to **int64 }

func (v signedValue) Set(s string) error {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	*v.to = &n
	return reason(err)
}

type unsignedValue[T uint64 | uint16] struct{ to **T }

func (v unsignedValue[T]) Set(s string) error {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil && uint64(T(n)) != n {
		err = strconv.ErrRange
	}
	*v.to = new(T(n))
	return reason(err)
}
