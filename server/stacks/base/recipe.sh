# libc, a shell, the user. Names resolve by libc's own resolver (nss files, dns).
root=$work/base debian=$work/debian
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,opt/padis,package,logs,proc,sys,dev}
mkdir -m 1777 "$root/tmp"; chmod 1777 "$root/tmp"
for d in bin sbin lib lib64; do ln -s "usr/$d" "$root/$d"; done
cp "$debian/usr/bin/busybox" "$root/usr/bin/busybox"
# Debian's busybox runs its own applets by name from its shell: no links needed but these.
ln -s busybox "$root/usr/bin/sh"
printf 'root:x:0:0:root:/:/bin/sh\napp:x:10001:10001:application:/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:10001:\n' >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
cp "$here/base/supervise" "$root/opt/padis/supervise"
mkdir -p "$root/etc/ssl/certs"
find "$debian/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z | xargs -0 cat >"$root/etc/ssl/certs/ca-certificates.crt"
# The loader, libc and the parts of it that are loaded by name.
(cd "$debian" && find usr/lib usr/lib64 -name 'ld-linux-*.so.*') | while read -r f; do
  mkdir -p "$root/$(dirname "$f")"; cp -a "$debian/$f" "$root/$f"
done
triple=$(triple_of "$debian")
mkdir -p "$root/usr/lib/$triple"
for l in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2 libnss_files.so.2 libnss_dns.so.2; do
  cp -L "$debian/usr/lib/$triple/$l" "$root/usr/lib/$triple/"
done
# What it is made of, for whoever looks inside.
cp "$debian/usr/lib/os-release" "$root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$root/etc/os-release"
record "$root" base-files busybox-static ca-certificates
