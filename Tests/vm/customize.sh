#!/bin/sh -e
# customize.sh TREE: what makes a Debian tree the machine of the tests. mmdebstrap runs it.
cd "$1"
echo vm >etc/hostname
echo '127.0.0.1 localhost vm' >etc/hosts
echo '/dev/nvme0n1 / ext4 defaults 0 1' >etc/fstab
echo 6f0c4a1e5b7d4c3f9a2b8e1d7c6f5a4b >etc/machine-id
mkdir -p var/log/journal etc/systemd/system/multi-user.target.wants etc/systemd/system-generators
# Hardware, first boots, consoles and clean-ups: nothing of faf's is concerned, and emulated they make the boot twice as
# long.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-pstore.service getty@tty1.service \
        serial-getty@ttyS0.service systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
        systemd-udevd-kernel.socket systemd-modules-load.service kmod-static-nodes.service modprobe@.service \
        systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-random-seed.service \
        systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-sysusers.service \
        systemd-firstboot.service systemd-machine-id-commit.service systemd-repart.service \
        systemd-tmpfiles-setup-dev.service systemd-remount-fs.service systemd-fsckd.socket systemd-initctl.socket \
        dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-kernel-config.mount sys-fs-fuse-connections.mount cryptsetup.target integritysetup.target \
        veritysetup.target; do
    ln -sf /dev/null etc/systemd/system/$unit
done
for generator in cryptsetup fstab getty gpt-auto hibernate-resume integritysetup rc-local run system-update sysv \
        veritysetup; do
    ln -s /dev/null etc/systemd/system-generators/systemd-$generator-generator
done
chroot . passwd --delete root
chroot . useradd --uid 2001 --create-home --shell /bin/bash alice
chroot . useradd --uid 2002 --create-home --shell /bin/bash bob
echo 'alice ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/vm
rm -f boot/initrd.img*
