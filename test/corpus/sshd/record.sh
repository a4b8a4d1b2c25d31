#!/usr/bin/env bash
# Records the log of a real sshd while real clients log in to it, wrongly and rightly.
#
#   sudo test/corpus/sshd/record.sh > test/corpus/sshd/sshd.log
#
# Starts an sshd and an rsyslogd of its own on a loopback port and in a folder of its own, and ends them.
# Needs openssh-server, openssh-client and rsyslog, root (sshd changes its user), and a free /dev/log.
set -euo pipefail

port=${PORT:-2222}
work=$(mktemp -d)
chmod 755 "$work"
cleanup() {
  for pid in "$work"/*.pid; do kill "$(cat "$pid")" 2>/dev/null || true; done
  rm -rf "$work" /dev/log
}
trap cleanup EXIT

if [ -e /dev/log ]; then
  echo "/dev/log is taken: another system logger is running." >&2
  exit 1
fi

cat > "$work/rsyslog.conf" <<CONF
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
template(name="line" type="string" string="%timestamp:::date-rfc3339% edge-2 %syslogtag%%msg:::sp-if-no-1st-sp%%msg%\n")
action(type="omfile" file="$work/auth.log" template="line")
CONF
rsyslogd -f "$work/rsyslog.conf" -i "$work/rsyslog.pid"

ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$work/client_key"
cp "$work/client_key.pub" "$work/authorized_keys"
cat > "$work/sshd_config" <<CONF
ListenAddress 127.0.0.1
Port $port
HostKey $work/host_key
PidFile $work/sshd.pid
AuthorizedKeysFile $work/authorized_keys
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
LogLevel INFO
CONF
mkdir -p /run/sshd
"$(command -v sshd)" -f "$work/sshd_config"

printf '#!/bin/sh\necho wrong\n' > "$work/askpass"
chmod +x "$work/askpass"
client=(ssh -p "$port" -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)

# A wrong password, entered once: no terminal, so that the client asks the program above.
wrong_password() {
  SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force setsid "${client[@]}" \
    -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "$1@127.0.0.1" true </dev/null 2>/dev/null || true
}

wrong_password alice                                   # one mistake is no attack
for _ in 1 2 3 4 5 6; do wrong_password root; done     # a burst against one account
for name in admin oracle test; do wrong_password "$name"; done
"${client[@]}" -i "$work/client_key" -o IdentitiesOnly=yes root@127.0.0.1 true </dev/null

# The last session's line may come a moment after the client has gone.
for _ in $(seq 50); do
  grep -q 'Disconnected from user root' "$work/auth.log" && break
  sleep 0.1
done
# rsyslogd notes its own start in the same log.
grep ' sshd\[' "$work/auth.log"
