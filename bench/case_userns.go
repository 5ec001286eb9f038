package main

import specs "github.com/opencontainers/runtime-spec/specs-go"

// usernsSubjects: run of /bin/true in a user namespace of its own. The floor has none.
func usernsSubjects(w *world) ([]subject, error) {
	ids := []specs.LinuxIDMapping{{HostID: 100000, Size: 65536}}
	b, err := w.newBundle("userns", func(s *specs.Spec) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = ids, ids
	}, "/bin/true")
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, c := range w.contestants {
		if _, ok := c.(*oci); ok {
			subjects = append(subjects, subject{name: c.name(), sample: w.sampleRun(c, b, "userns")})
		}
	}
	return subjects, nil
}
