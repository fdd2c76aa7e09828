root=$work/java
version_of "openjdk-$jdk-jre-headless" >"$work/java.version"
mkdir -p "$root/opt/padis"
cp "$here/java/start" "$root/opt/padis/"
