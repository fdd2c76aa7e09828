# Helpers of `build`, for the recipes. $work/debian is the unpacked Debian.

# unpack ROOT DEBS URIS: the packages named in URIS, merged /usr as on a real system.
unpack() {
  local root=$1 d name package
  mkdir -p "$work/lists" "$root"/usr/{bin,sbin,lib,lib32,lib64,libx32} "$root"/{proc,tmp,dev}
  for d in bin sbin lib lib32 lib64 libx32; do ln -sfn "usr/$d" "$root/$d"; done
  while read -r _ name _; do
    package=${name%%_*}
    dpkg-deb --fsys-tarfile "$2/$name" | tar -xv --keep-directory-symlink -C "$root" \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
      | sed -E "s#^\./##; s#^(s?bin|lib(32|64|x32)?)/#usr/&#; /\/\$/d; s#\$#\t$package#" >"$work/lists/$package.files"
    dpkg-deb --field "$2/$name" Package Source Version Architecture >"$work/lists/$package.stanza"
  done <"$3"
}

# version_of PACKAGE: from the names of the fetched files.
version_of() {
  local file
  file=$(awk -v p="$1" 'index($2, p "_") == 1 { print $2; exit }' "$PADIS_STACKS/.uris")
  [ -n "$file" ] || fail "no package $1 among those fetched"
  file=${file#*_}; file=${file%_*}
  printf '%s\n' "${file//%3a/:}"
}

# in_root ROOT COMMAND…: runs in ROOT, with nothing but a loopback and its own /proc and /tmp.
# A caller's array `around` holds what the whole is to be started by.
in_root() {
  local root=$1; shift
  ${around[@]+"${around[@]}"} unshare --mount --net --pid --fork --kill-child sh -euc '
    root=$1; shift
    mkdir -p "$root/proc" "$root/tmp" "$root/dev"
    mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/dev"
    for n in null:3 zero:5 random:8 urandom:9; do mknod -m 666 "$root/dev/${n%:*}" c 1 "${n#*:}"; done
    ip link set lo up
    exec chroot "$root" "$@"' sh "$root" "$@"
}

# class_archive ROOT OUT JAVA_ARG…: writes the JVM's archive of loaded classes. Its
# bytes depend on threads and on where things lie in memory. One processor, no
# address randomisation, no compiler and the serial collector make nine runs in
# ten equal (with the defaults hardly two are), so the first bytes seen twice win.
class_archive() {
  local root=$1 out=$2 cpu seen='' sum; shift 2
  cpu=$(taskset -pc $$ | sed 's/.*: *//; s/[-,].*//')
  local around=(env -i PATH="$PATH" taskset -c "$cpu" setarch "$(uname -m)" -R)
  for _ in 1 2 3 4 5 6; do
    rm -f "$root$out"
    in_root "$root" /opt/java/bin/java -Xshare:dump -Xint -Xmx256m -Xms256m -XX:+UseSerialGC -XX:-UsePerfData \
      -XX:SharedArchiveFile="$out" "$@" >"$work/archive.log" 2>&1 \
      || { tail -n 20 "$work/archive.log" >&2; fail "the archive of classes could not be written"; }
    sum=$(sha256sum <"$root$out")
    case $seen in *"$sum"*) return ;; esac
    seen+=$sum
  done
  say "the archive of classes differs from run to run: this image's digest will too"
}

# triple_of ROOT → e.g. x86_64-linux-gnu
triple_of() { find "$1/usr/lib" -maxdepth 1 -name '*-linux-gnu*' -printf '%f\n' | head -n 1; }

# libraries FROM TO FILE…: copies into TO what FILEs (paths in FROM) link to.
libraries() {
  local from=$1 to=$2 loader triple lib f; shift 2
  loader=$(find "$from/usr/lib64" "$from/usr/lib" -maxdepth 2 -name 'ld-linux-*.so.*' | head -n 1)
  triple=$(triple_of "$from")
  mkdir -p "$to/usr/lib/$triple"
  for f in "$@"; do
    # What is no dynamic program (a script, the static busybox) links to nothing.
    { "$loader" --library-path "$from/usr/lib/$triple${PADIS_LIBRARY_PATH:+:$PADIS_LIBRARY_PATH}" --list "$from/$f" 2>/dev/null || true; } \
      | awk '$2 == "=>" { print $3 }'
  done | sort -u | while read -r lib; do
    case $lib in
      "$from"/usr/lib/"$triple"/* | "$from"/lib/"$triple"/*) [ -e "$to/usr/lib/$triple/${lib##*/}" ] || cp -L "$lib" "$to/usr/lib/$triple/" ;;
    esac
  done
}

# record DIR PACKAGE…: which of Debian's packages DIR is made of, as images without dpkg
# itself tell it: a stanza for each in status.d, where whoever looks for known
# vulnerabilities finds it. Named are those whose files lie elsewhere here; others are
# known by their paths.
record() {
  local root=$1 package; shift
  mkdir -p "$root/var/lib/dpkg/status.d"
  {
    [ $# = 0 ] || printf '%s\n' "$@"
    find "$root" ! -type d -printf '%P\n' | awk -F'\t' 'NR == FNR { if (/^usr\//) here[$1]; next } $1 in here { print $2 }' - "$work"/lists/*.files
  } | sort -u | while read -r package; do
    [ ! -e "$work/lists/$package.stanza" ] || cp "$work/lists/$package.stanza" "$root/var/lib/dpkg/status.d/$package"
  done
}

# seal DIR: one owner, one date, no write permission for others.
seal() {
  find "$1" -exec touch -h -d "@$epoch" {} +
}

# pack DIR: DIR.tar, equal for equal content.
pack() {
  tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=gnu -C "$1" -cf "$1.tar" .
}
