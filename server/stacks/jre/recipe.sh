# One runtime for jars and wars: all of Java SE and what frameworks lean on.
root=$work/jre debian=$work/debian
home=$(cd "$debian/usr/lib/jvm" && find . -maxdepth 1 -type d -name "java-$jdk-openjdk-*" -printf '%f\n')
# The JDK's own configuration is linked from /etc: jlink has to see it there.
in_root "$debian" "/usr/lib/jvm/$home/bin/jlink" --output /opt/java \
  --add-modules java.se,jdk.charsets,jdk.crypto.cryptoki,jdk.crypto.ec,jdk.dynalink,jdk.httpserver,jdk.jcmd,jdk.jdwp.agent,jdk.jfr,jdk.localedata,jdk.management,jdk.management.agent,jdk.management.jfr,jdk.naming.dns,jdk.net,jdk.nio.mapmode,jdk.security.auth,jdk.security.jgss,jdk.unsupported,jdk.xml.dom,jdk.zipfs \
  --include-locales=en,zh --no-header-files --no-man-pages --compress="$jre_compress"
mkdir -p "$root/opt"
mv "$debian/opt/java" "$root/opt/java"
rm -rf "$root/opt/java/legal"
cp "$here/jre/Cacerts.java" "$debian/Cacerts.java"
in_root "$debian" "/usr/lib/jvm/$home/bin/java" /Cacerts.java /usr/share/ca-certificates/mozilla /cacerts
cp "$debian/cacerts" "$root/opt/java/lib/security/cacerts"
# Libraries that the runtime links to, and a font: without one, drawing a captcha fails.
cp -a "$root/opt/java" "$debian/opt/java"
(cd "$debian" && find opt/java -type f \( -name '*.so' -o -path '*/bin/*' \)) >"$work/jre.files"
# shellcheck disable=SC2046
PADIS_LIBRARY_PATH=$debian/opt/java/lib:$debian/opt/java/lib/server libraries "$debian" "$root" $(cat "$work/jre.files")
(cd "$root" && find usr/lib -type f) | while read -r f; do [ ! -e "$work/base/$f" ] || rm "$root/$f"; done
mkdir -p "$root/usr/share/fonts/truetype" "$root/etc/fonts"
cp -r "$debian/usr/share/fonts/truetype/dejavu" "$root/usr/share/fonts/truetype/"
printf '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig><dir>/usr/share/fonts</dir><cachedir>/tmp/.fontconfig</cachedir></fontconfig>\n' >"$root/etc/fonts/fonts.conf"
record "$root" "openjdk-$jdk-jre-headless"
# The archive of loaded classes records the date and size of what it was made from.
seal "$root"
mkdir -p "$work/whole"
cp -a "$work/base/." "$root/." "$work/whole/"
class_archive "$work/whole" /classes.jsa
cp "$work/whole/classes.jsa" "$root/opt/java/lib/server/classes.jsa"
chmod 644 "$root/opt/java/lib/server/classes.jsa"
cp -p "$root/opt/java/lib/server/classes.jsa" "$work/whole/opt/java/lib/server/"
