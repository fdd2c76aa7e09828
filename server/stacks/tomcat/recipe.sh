# Tomcat without what a single application behind a balancer has no use for
# (clustering, Ant tasks, translations that nobody here reads), everything else
# on the JVM's own class path, where the archive of loaded classes applies.
root=$work/tomcat debian=$work/debian
version_of libtomcat10-java >"$work/tomcat.version"
t=$root/opt/tomcat
mkdir -p "$t"/{lib,conf,bin} "$root/opt/padis"
cp "$here/tomcat/start" "$root/opt/padis/"
cp -L "$debian"/usr/share/tomcat10/bin/bootstrap.jar "$debian"/usr/share/java/tomcat10-juli.jar "$t/bin/"
for jar in "$debian"/usr/share/tomcat10/lib/*.jar; do
  case ${jar##*/} in
    catalina-ant.jar | catalina-ha.jar | catalina-tribes.jar | catalina-storeconfig.jar | tomcat-i18n-*) ;;
    *) cp -L "$jar" "$t/lib/" ;;
  esac
done
cp -L "$debian/usr/share/java/tomcat10-i18n-zh-CN.jar" "$t/lib/tomcat-i18n-zh-CN.jar"
cp -L "$debian/usr/share/java/eclipse-jdt-core.jar" "$t/lib/"
cp -L "$debian"/usr/share/tomcat-jakartaee-migration/lib/jakartaee-migration-*-shaded.jar "$t/migration.jar"
cp "$here"/tomcat/{server.xml,catalina.properties,logging.properties} "$t/conf/"
cp -L "$debian/usr/share/tomcat10/etc/web.xml" "$t/conf/web.xml"
chmod 644 "$t/conf"/*
(cd "$root" && find opt/tomcat/bin opt/tomcat/lib -name '*.jar' | LC_ALL=C sort | sed 's|^|/|' | paste -sd:) >"$t/classpath"

record "$root" libtomcat10-java libeclipse-jdt-core-java tomcat-jakartaee-migration

# Run once with a small application, note the classes that were loaded, and keep
# them parsed and verified in an archive: this halves the time to start.
seal "$root"
cp -a "$root/." "$work/whole/"
mkdir -p "$work/whole/package/app.war/WEB-INF"
cp "$here/tomcat/warm.jsp" "$work/whole/package/app.war/index.jsp"
cp "$here/tomcat/warm.sh" "$work/whole/warm.sh"
in_root "$work/whole" /bin/sh /warm.sh >"$work/warm.log" 2>&1 || { tail -30 "$work/warm.log" >&2; fail "the run that collects Tomcat's classes failed"; }
class_archive "$work/whole" /tomcat.jsa -XX:SharedClassListFile=/classes.list -cp "$(cat "$t/classpath")"
install -m 644 "$work/whole/tomcat.jsa" "$t/tomcat.jsa"
