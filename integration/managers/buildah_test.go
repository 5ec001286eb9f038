//go:build managers

package managers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func buildah() manager {
	return manager{
		name:  "buildah",
		needs: []string{"buildah"},
		open:  openBuildah,
		rows:  append(building(), inContainer()...),
	}
}

func openBuildah(t *testing.T, e *engine) {
	e.cli = []string{"buildah", "--root", e.dir + "/root", "--runroot", e.dir + "/runroot", "--storage-driver", "overlay", "--log-level", "warn"}
	e.env = append(e.env, "BUILDAH_RUNTIME="+e.bin, "BUILDAH_ISOLATION=oci")
	e.image = "localhost/busybox:latest"
	e.flags = flags("--ulimit nofile=1024:4096 --ulimit nproc=1024:1024 --network none --cgroup-parent /" + it.prefix + "/buildah") // buildah uses the parent itself
	e.listen = true
	command(e.env, nil, "tar", "-C", it.rootfs, "-cf", e.dir+"/rootfs.tar", ".").must(t)
	e.build(t, e.image, "FROM scratch\nADD rootfs.tar /\nENV PATH=/bin\n").must(t)
}

// build makes an image from a Containerfile. Layers that are there are not used again.
func (e *engine) build(t *testing.T, image, file string, own ...string) did {
	t.Helper()
	path := e.save(t, strings.NewReplacer("/", "-", ":", "-").Replace(image)+".file", file, 0o644)
	args := append([]string{"bud", "--no-cache", "-t", image, "-f", path}, e.flags...)
	return e.do(append(append(args, own...), e.dir)...)
}

// built is the content of a file of an image.
func (e *engine) built(t *testing.T, image, file string) string {
	t.Helper()
	return read(t, filepath.Join(e.mounted(t, image), file))
}

// mounted is where the files of an image can be looked at until the row ends.
func (e *engine) mounted(t *testing.T, image string) string {
	t.Helper()
	name := e.working(t, image)
	return e.do("mount", name).must(t)
}

// working is a container of buildah's, gone after the row.
func (e *engine) working(t *testing.T, image string, own ...string) string {
	t.Helper()
	name := e.fresh()
	t.Cleanup(func() { e.do("rm", name) })
	e.do(append(append(append([]string{"from", "--name", name}, e.flags...), own...), image)...).must(t)
	return name
}

// building: buildah bud.
func building() []row {
	return []row{
		{"RUN", func(t *testing.T, e *engine) {
			e.build(t, "localhost/run", "FROM "+e.image+"\nRUN echo made >/made\nRUN [\"sh\", \"-c\", \"cat /made /made >/twice\"]\n").must(t)
			equal(t, "/twice", e.built(t, "localhost/run", "twice"), "made\nmade")
		}},
		{"stages", func(t *testing.T, e *engine) {
			e.build(t, "localhost/stages", "FROM "+e.image+" AS one\nRUN echo from one >/result\nFROM "+e.image+" AS two\nRUN echo from two >/result\n"+
				"FROM "+e.image+"\nCOPY --from=one /result /1\nCOPY --from=two /result /2\nRUN cat /1 /2 >/both\n").must(t)
			equal(t, "/both", e.built(t, "localhost/stages", "both"), "from one\nfrom two")
		}},
		{"ENV, WORKDIR, USER", func(t *testing.T, e *engine) {
			e.build(t, "localhost/user", "FROM "+e.image+"\nENV A=\"b c\"\nWORKDIR /home/joe\nUSER joe\nRUN echo \"$A $(pwd) $(id -un)\" >made\n").must(t)
			equal(t, "made", e.built(t, "localhost/user", "home/joe/made"), "b c /home/joe joe")
			info, err := os.Stat(filepath.Join(e.mounted(t, "localhost/user"), "home/joe/made"))
			if err != nil || info.Mode().Perm() != 0o644 {
				t.Error(info.Mode(), err)
			}
		}},
		{"RUN fails", func(t *testing.T, e *engine) {
			d := e.build(t, "localhost/fails", "FROM "+e.image+"\nRUN exit 7\n")
			d.exits(t, 7)
			d.says(t, "exit status 7")
		}},
		{"RUN: missing command", func(t *testing.T, e *engine) {
			d := e.build(t, "localhost/nosuch", "FROM "+e.image+"\nRUN [\"nosuch\"]\n")
			if d.code == 0 {
				t.Error("built")
			}
			d.says(t, "executable file not found in $PATH")
		}},
		{"RUN --mount", func(t *testing.T, e *engine) {
			e.build(t, "localhost/mount", "FROM "+e.image+" AS one\nRUN echo bound >/file\nFROM "+e.image+"\n"+
				"RUN --mount=type=bind,from=one,source=/file,target=/mnt/file cat /mnt/file >/copy\nRUN --mount=type=tmpfs,target=/new stat -fc %T /new >/kind\n").must(t)
			equal(t, "/copy", e.built(t, "localhost/mount", "copy"), "bound")
			equal(t, "/kind", e.built(t, "localhost/mount", "kind"), "tmpfs")
		}},
		{"RUN with flags", func(t *testing.T, e *engine) {
			e.build(t, "localhost/flags", "FROM "+e.image+"\nRUN grep CapEff /proc/self/status >/tmp/caps; df -k /dev/shm | awk 'END { print $2 }' >/tmp/shm\n",
				"--cap-drop", "ALL", "--shm-size", "1m").must(t)
			equal(t, "/caps", e.built(t, "localhost/flags", "tmp/caps"), "CapEff:\t0000000000000000")
			equal(t, "/shm", e.built(t, "localhost/flags", "tmp/shm"), "1024")
		}},
	}
}

// inContainer: buildah run.
func inContainer() []row {
	return []row{
		{"the runtime is used", func(t *testing.T, e *engine) {
			name := e.working(t, e.image)
			d := command(append(slices.Clone(e.env), "BUILDAH_RUNTIME=/no/such"), nil, append(slices.Clone(e.cli), "run", name, "true")...)
			if d.code == 0 {
				t.Error("BUILDAH_RUNTIME is not heeded")
			}
		}},
		{"run", func(t *testing.T, e *engine) {
			name := e.working(t, e.image)
			equal(t, "stdout", e.do("run", name, "--", "echo", "hello").must(t), "hello")
			e.do("run", name, "sh", "-c", "echo kept >/kept").must(t)
			equal(t, "later", e.do("run", name, "cat", "/kept").must(t), "kept")
		}},
		{"exit 7", func(t *testing.T, e *engine) { e.do("run", e.working(t, e.image), "sh", "-c", "exit 7").exits(t, 7) }},
		{"missing command", func(t *testing.T, e *engine) {
			d := e.do("run", e.working(t, e.image), "nosuch")
			if d.code == 0 {
				t.Error("exit 0")
			}
			d.says(t, "executable file not found in $PATH")
		}},
		{"run -i", func(t *testing.T, e *engine) {
			equal(t, "stdout", e.with(strings.NewReader("in\n"), "run", e.working(t, e.image), "tr", "a-z", "A-Z").must(t), "IN")
		}},
		{"run -it", func(t *testing.T, e *engine) {
			s := e.onScreen(t, "run", "--tty", e.working(t, e.image), "sh")
			s.types(t, "test -t 0 -a -t 1 && echo all$((1+1))\n")
			s.shows(t, "all2")
			s.types(t, "exit 9\n")
			s.exits(t, 9)
		}},
		{"user by name", func(t *testing.T, e *engine) {
			equal(t, "stdout", e.do("run", "--user", "joe", e.working(t, e.image), "id", "-un").must(t), "joe")
		}},
		{"hostname", func(t *testing.T, e *engine) {
			equal(t, "stdout", e.do("run", "--hostname", "box", e.working(t, e.image), "hostname").must(t), "box")
		}},
		{"volume rw and ro", func(t *testing.T, e *engine) {
			dir, name := e.shared(t), e.working(t, e.image)
			e.do("run", "-v", dir+":/mnt:rw", name, "sh", "-c", "echo x >/mnt/file").must(t)
			equal(t, "the host's file", read(t, dir+"/file"), "x")
			e.do("run", "-v", dir+":/mnt:ro", name, "sh", "-c", "echo y >/mnt/file").says(t, "Read-only file system").exits(t, 1)
		}},
		{"cap-add", func(t *testing.T, e *engine) {
			name := e.working(t, e.image, "--cap-drop", "ALL")
			equal(t, "caps", e.do("run", "--cap-add", "CAP_NET_ADMIN", name, "grep", "CapEff", "/proc/self/status").must(t), "CapEff:\t0000000000001000")
		}},
		{"uidmap", func(t *testing.T, e *engine) {
			name := e.working(t, e.image, flags("--userns-uid-map 0:100000:5000 --userns-gid-map 0:100000:5000")...)
			got := e.do("run", name, "sh", "-c", "cat /proc/self/uid_map; stat -c %u /etc").must(t)
			equal(t, "uid_map and owner", strings.Join(strings.Fields(got), " "), "0 100000 5000 0")
		}},
	}
}
