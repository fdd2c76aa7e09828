root=$work/nginx
version_of nginx >"$work/nginx.version"
mkdir -p "$root"/usr/sbin "$root"/opt/padis
cp "$work/debian/usr/sbin/nginx" "$root/usr/sbin/"
libraries "$work/debian" "$root" usr/sbin/nginx
# What is in the base layer already stays there.
(cd "$root" && find usr/lib -type f) | while read -r f; do [ ! -e "$work/base/$f" ] || rm "$root/$f"; done
# Debian's table of types, with the few that are newer than it.
sed 's|application/javascript *js;|application/javascript js mjs;|; s|application/json *json;|application/json json map;|; /^}/i\    application/manifest+json webmanifest;\n    application/x-ndjson ndjson;\n    text/markdown md;\n    text/csv csv;\n    font/ttf ttf;\n    font/otf otf;\n    image/jxl jxl;' \
  "$work/debian/etc/nginx/mime.types" >"$root/opt/padis/mime.types"
cp "$here/nginx/nginx.conf" "$here/nginx/plain-404.html" "$here/nginx/start" "$root/opt/padis/"
record "$root"
