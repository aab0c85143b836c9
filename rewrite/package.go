package rewrite

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// outcome is what fixing a package has come to.
type outcome struct {
	Findings []finding.Finding // all of them, with their status
	Changes  []finding.FileChange
	Internal []error
	known    bool // from an earlier run
}

// fixPackage brings one package, of which found are the findings in any build,
// to its fixpoint, or knows from an earlier run what that is.
func (cfg Config) fixPackage(ctx context.Context, builds []packageState, found []finding.Finding) outcome {
	id, known := cfg.fixID(builds, found)
	var out outcome
	if known && cfg.Cache.Get(id, &out) && out.restore(builds) {
		return out
	}
	out = cfg.fixBuilds(ctx, builds, found)
	if !known || len(out.Internal) > 0 || ctx.Err() != nil {
		return out
	}
	keep := out
	keep.Changes = slices.Clone(out.Changes)
	for i := range keep.Changes {
		keep.Changes[i].Old = nil
	}
	if err := cfg.Cache.Put(id, &keep); err != nil {
		cfg.Debugf("%v", err)
	}
	return out
}

// restore completes an outcome of an earlier run with the old text of the
// files, which is not kept because its hash is a part of the key. It reports
// whether the files still hold it.
func (out *outcome) restore(builds []packageState) bool {
	for i := range out.Changes {
		c := &out.Changes[i]
		if c.Old = source(builds, c.Path, out); c.Old == nil {
			return false
		}
	}
	out.known = true
	return true
}

// fixID returns the hash of all that the fixpoint of a package depends on: what
// its findings depend on in each build, what a review has made of them, and
// what may be fixed. It is not known if the findings themselves were not kept.
func (cfg Config) fixID(builds []packageState, found []finding.Finding) (id cache.ID, known bool) {
	if cfg.Cache == nil {
		return id, false
	}
	k := cfg.Cache.Key("fixpoint")
	k.Add(strconv.FormatBool(cfg.Unsafe))
	for _, b := range builds {
		own, ok := b.analysis.ID(b.pkg)
		if !ok {
			return id, false
		}
		k.Add(b.build, string(own[:]))
		for _, name := range slices.Concat(b.pkg.CompiledGoFiles, b.pkg.GoFiles) {
			k.Add(name, strconv.FormatBool(b.prog.Names(name)))
		}
	}
	text, err := json.Marshal(found) // what gob writes depends on what it wrote before
	if err != nil {
		return id, false
	}
	k.Add(string(text))
	return k.ID(), true
}

// fixBuilds fixes one package in one build after the other, each of which
// accounts for the findings that the ones before it do not have.
func (cfg Config) fixBuilds(ctx context.Context, builds []packageState, found []finding.Finding) (out outcome) {
	overlay := map[string][]byte{}
	var fixed []finding.Finding
	open := found
	for i := range builds {
		own, rest := split(open, builds[i].found.Findings)
		open = rest
		if len(own) == 0 {
			continue
		}
		fp := &fixpoint{cfg: cfg, packageState: builds[i], overlay: overlay, peers: slices.Concat(builds[:i], builds[i+1:])}
		all, done, errs := fp.run(ctx, own)
		overlay = fp.overlay
		copy(builds, fp.peers[:i])
		copy(builds[i+1:], fp.peers[i:])
		builds[i] = fp.packageState
		fixed = append(fixed, done...)
		for _, f := range all {
			if fp.prog.Wanted(f) {
				out.Findings = append(out.Findings, f)
			}
		}
		out.Internal = append(out.Internal, errs...)
	}
	finding.Sort(fixed)
	for name, content := range overlay {
		change := finding.FileChange{Path: name, New: content, Package: builds[0].pkg.PkgPath}
		if change.Old = source(builds, name, &out); change.Old == nil {
			continue
		}
		for _, f := range fixed {
			if f.Touches(name) {
				change.Findings = append(change.Findings, f)
			}
		}
		out.Changes = append(out.Changes, change)
	}
	return out
}

// source returns the text of a file as one of the builds has analysed it. An
// error goes to out.
func source(builds []packageState, name string, out *outcome) []byte {
	var errs []error
	for _, b := range builds {
		src, err := b.prog.Source(name)
		if err == nil {
			return src
		}
		errs = append(errs, err)
	}
	out.Internal = append(out.Internal, errs[0])
	return nil
}
