package load

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Shard is one of several parts of the packages: every package is in exactly
// one of the parts 1 to N. The zero Shard holds all of them.
type Shard struct{ I, N int }

// ParseShard reads "i/n".
func ParseShard(text string) (Shard, error) {
	i, n, ok := strings.Cut(text, "/")
	a, err1 := strconv.Atoi(i)
	b, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || a < 1 || b < a {
		return Shard{}, fmt.Errorf("want I/N with I from 1 to N, such as 1/4")
	}
	return Shard{a, b}, nil
}

// Of returns the packages of the part. Which ones depends on the sorted
// import paths alone; a package and its external test stay together.
func (s Shard) Of(pkgs []*packages.Package) []*packages.Package {
	if s.N <= 1 {
		return pkgs
	}
	index := map[string]int{}
	for _, p := range pkgs {
		if base := basePath(p); index[base] == 0 {
			index[base] = len(index) + 1
		}
	}
	var part []*packages.Package
	for _, p := range pkgs {
		if index[basePath(p)]%s.N == s.I%s.N {
			part = append(part, p)
		}
	}
	return part
}

func basePath(p *packages.Package) string {
	if p.ForTest != "" {
		return p.ForTest
	}
	return p.PkgPath
}
