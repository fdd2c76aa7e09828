# Runs in the image's own root while it is built: Tomcat with a small application,
# the same flags as ever (the start script itself), to learn which classes it loads.
set -eu
export MESOS_TASK_ID=warm PADIS_LOG_PATH=/tmp/logs
JAVA_OPTS='-Xshare:off -XX:DumpLoadedClassList=/tmp/classes' sh /opt/padis/start &
pid=$!
tries=300
until wget -q -O /dev/null http://127.0.0.1:8080/index.jsp; do
  tries=$((tries - 1)); [ $tries -gt 0 ] || exit 1
  sleep 0.1
done
kill -TERM $pid
wait $pid
# Generated classes differ from run to run and are made anew anyway.
grep -v -e 'org/apache/jsp/' -e '^@' -e ' source: ' -e '^#' -e 'Lambda' /tmp/classes | sed 's/ id:.*//' | LC_ALL=C sort -u >/classes.list
