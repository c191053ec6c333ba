#!/bin/sh
# Hands one mail to the bridge, as it came:    mail-to-bridge.sh URL HEADER_FILE <mail
#
# URL is <server.public_url>/connectors/<community>/; HEADER_FILE holds one line, "Authorization: Bearer <secret>", with the secret
# of [communities.….connector], readable by the user as whom this runs and by nobody else. With Postfix, in master.cf:
#
#   mostik  unix  -  n  n  -  4  pipe  flags=Ru user=mostik-mail
#     argv=/usr/local/bin/mail-to-bridge.sh https://mostik.example/connectors/forum/ /etc/mostik/mail.header
#
# and "helper@forum.example mostik:" in transport_maps. Where the bridge does not answer, the server keeps the mail and tries again
# (exit status 75); nobody who wrote is told anything by the bridge but its answer.
set -u
url=$1 header=$2
# Of a mail with a large attachment the beginning is enough: the words stand there, and the bridge takes 2 MiB.
{
  head -c 2000000
  cat >/dev/null
} | curl --silent --show-error --output /dev/null --fail --max-time 60 --header "@$header" \
  --header 'Content-Type: message/rfc822' --data-binary @- "$url" || exit 75
