#!/bin/sh -e
# customize.sh TREE: what makes a Debian tree the machine of the tests. mmdebstrap runs it.
cd "$1"
echo vm >etc/hostname
echo '127.0.0.1 localhost vm' >etc/hosts
echo '/dev/nvme0n1 / ext4 defaults 0 1' >etc/fstab
mkdir -p var/log/journal etc/systemd/system/multi-user.target.wants
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-pstore.service getty@tty1.service \
        serial-getty@ttyS0.service; do
    ln -sf /dev/null etc/systemd/system/$unit
done
chroot . passwd --delete root
chroot . useradd --uid 2001 --create-home --shell /bin/bash alice
chroot . useradd --uid 2002 --create-home --shell /bin/bash bob
echo 'alice ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/vm
rm -f boot/initrd.img*
