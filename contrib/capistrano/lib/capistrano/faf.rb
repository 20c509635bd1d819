# Deploys of applications whose tasks run under faf. Capfile:
#
#     require "capistrano/faf"
#     install_plugin Capistrano::Faf

require "json"
require "shellwords"
require "stringio"
require "capistrano/plugin"

module Capistrano
  class Faf < Capistrano::Plugin
    # What may be installed into, and removed from, the unit directory: a unit, or one of its drop-ins.
    UNIT = %r{\A[A-Za-z0-9:_.@\\-]+\.task(\.d/[A-Za-z0-9:_.@\\-]+\.conf)?\z}

    # As deploy:cleanup has it: other names are not its own.
    RELEASE = /\A\d{14}\z/

    def set_defaults
      set_if_empty :faf_command, "faf"
      set_if_empty :faf_roles, :all
      # The deploy user's own fafd (fafd --user) instead of the system's.
      set_if_empty :faf_user, false
      # Root alone may reload fafd, write its units, and see every run. In front of commands if the deploy user is not root.
      set_if_empty :faf_sudo, -> { fetch(:faf_user) ? nil : "sudo -n" }
      # In the release, and on the host.
      set_if_empty :faf_units_directory, "config/faf/units"
      set_if_empty :faf_units_path, -> { fetch(:faf_user) ? ".config/faf/units" : "/etc/faf/units" }
      # :install copies; :link links to the unit in `current`. fafd follows neither what others may write.
      set_if_empty :faf_units_mode, :install
      # What group or others may write, faf does not run; git archive, unpacked by root, is writable by the group.
      set_if_empty :faf_protect_release, true
      set_if_empty :faf_restart_command, lambda {
        fetch(:faf_user) ? "systemctl --user restart fafd" : "systemctl restart fafd"
      }
    end

    def register_hooks
      before "deploy:publishing", "faf:protect_release"
      before "deploy:publishing", "faf:units:verify"
      after "deploy:published", "faf:units:install"
      after "deploy:published", "faf:reload"
      before "deploy:cleanup", "faf:keep_releases"
      before "deploy:cleanup_rollback", "faf:keep_rolled_back"
    end

    def define_tasks
      eval_rakefile File.expand_path("tasks/faf.rake", __dir__)
    end

    # ---------------------------------------------------------------- faf on the host

    # The words of a call of faf, as a shell takes them.
    def faf(*arguments)
      command = fetch(:faf_command)
      words = command.is_a?(Array) ? command : command.shellsplit
      words += ["--user"] if fetch(:faf_user)
      (words + arguments).map { |word| word.to_s.shellescape }
    end

    # Nothing in front for root, sudo for others; nothing for one's own fafd.
    def privileged
      prefix = fetch(:faf_sudo).to_s.shellsplit
      return [] if prefix.empty? || root?

      prefix
    end

    def root?
      backend.test("[ $(id -u) = 0 ]")
    end

    def runs_faf?(host)
      roles(fetch(:faf_roles)).include?(host)
    end

    def reload
      output = backend.capture(*privileged, *faf("reload"), "2>&1 || echo exit:$?")
      code = output[/^exit:(\d+)\s*\z/, 1].to_i
      output = output.sub(/^exit:\d+\s*\z/, "").strip
      # 65: some unit cannot be used, the others are loaded. The release's own have been verified.
      raise "faf reload on #{backend.host} (exit status #{code}): #{output}" unless [0, 65].include?(code)

      backend.public_send(code.zero? ? :info : :warn, "faf reload on #{backend.host}: #{output}")
    end

    # ---------------------------------------------------------------- units

    # The release's units and drop-ins, by their names in the unit directory.
    def units
      directory = release_path.join(fetch(:faf_units_directory)).to_s
      return [] unless backend.test("[ -d #{directory.shellescape} ]")

      names = backend.capture(
        :find, "-L", directory.shellescape, "-mindepth 1 -maxdepth 2 -type f",
        "'('", "-path '*/*.task.d/*.conf' -o -name '*.task'", "')'", "-printf '%P\\n'"
      ).split("\n").sort
      bad = names.grep_v(UNIT)
      raise "#{directory}: not the name of a unit: #{bad.join(', ')}" if bad.any?

      names
    end

    def verify_units
      directory = release_path.join(fetch(:faf_units_directory))
      files = units.grep(/\.task\z/).map { |name| directory.join(name) }
      return backend.info("faf: #{directory} has no units") if files.empty?

      report = backend.capture(*faf("verify", *files), "2>&1 || echo exit:$?")
      code = report[/^exit:(\d+)\s*\z/, 1]
      report = report.sub(/^exit:\d+\s*\z/, "").strip
      raise "faf verify on #{backend.host}: nothing is published.\n#{report}" if code

      report.each_line { |line| backend.warn(line.chomp) }
    end

    def install_units
      target = fetch(:faf_units_path)
      names = units
      manifest = shared_path.join("faf-units").to_s
      before = backend.capture("cat #{manifest.shellescape} 2>/dev/null || true").split("\n").grep(UNIT)
      root = privileged
      backend.execute(*root, :mkdir, "-p", target.shellescape) if names.any?
      names.each { |name| install_unit(root, name, "#{target}/#{name}") }
      # What an earlier release had brought and this one no longer has.
      gone = (before - names).map { |name| "#{target}/#{name}".shellescape }
      backend.execute(*root, :rm, "-f", *gone) if gone.any?
      return if names.empty? && before.empty?

      backend.upload!(StringIO.new(names.map { |name| "#{name}\n" }.join), manifest)
    end

    def install_unit(root, name, place)
      if backend.test("[ \"$(readlink #{place.shellescape})\" = /dev/null ]")
        # Masked by the operator: that is stronger than a deploy.
        return backend.warn("faf: #{place} on #{backend.host} is masked and stays so")
      end
      new = "#{File.dirname(place)}/.#{File.basename(place)}.new".shellescape
      backend.execute(*root, :mkdir, "-p", File.dirname(place).shellescape) if name.include?("/")
      if fetch(:faf_units_mode).to_sym == :link
        source = current_path.join(fetch(:faf_units_directory), name).to_s
        backend.execute(*root, :ln, "-sfn", source.shellescape, new)
      else
        source = release_path.join(fetch(:faf_units_directory), name).to_s
        backend.execute(*root, :install, "-m", "644", source.shellescape, new)
      end
      # Renamed: fafd sees the old unit or the new one, never a part.
      backend.execute(*root, :mv, "-fT", new, place.shellescape)
    end

    # ---------------------------------------------------------------- releases

    # Names of releases that runs use, with what uses them; nil if nobody could say.
    def releases_in_use
      prefix = privileged
      if prefix.empty? && !fetch(:faf_user) && !root?
        # It would be told of its own runs alone, and take the releases of all others for unused.
        backend.warn("faf: #{backend.host.user} does not see every run on #{backend.host}; set :faf_sudo")
        return nil
      end
      text = backend.capture(*prefix, *faf("releases", "--json", "--in", releases_path))
      JSON.parse(text).to_h do |used|
        runs = used["runs"].map { |run| "run #{run['number']} of #{run['task']} (#{run['state']})" }
        [File.basename(used["release"]), runs.join(", ")]
      end
    rescue SSHKit::Command::Failed, JSON::ParserError => error
      backend.warn("faf cannot say on #{backend.host} which releases are in use: #{error.message.strip}")
      nil
    end

    # Removes what deploy:cleanup would remove, but for what runs use. How many are left on this host.
    def prune_releases(asked:)
      releases = backend.capture(:ls, "-x", releases_path.to_s.shellescape).split.grep(RELEASE)
      old = releases - releases.last(fetch(:keep_releases))
      return releases.size if old.empty?

      used = asked ? releases_in_use : {}
      if used.nil?
        # A release too many costs disk; one too few costs somebody's run.
        backend.warn("faf: no release is removed on #{backend.host}")
        return releases.size
      end
      kept, unused = old.partition { |name| used.key?(name) }
      kept.each { |name| backend.info("faf: keeping release #{name} on #{backend.host}: #{used[name]}") }
      unused.delete(File.basename(backend.capture("readlink -f #{current_path.to_s.shellescape} || true")))
      unused.each_slice(100) do |names|
        backend.execute(:rm, "-rf", *names.map { |name| releases_path.join(name).to_s.shellescape })
      end
      releases.size - unused.size
    end

    # The release that deploy:cleanup_rollback is about to remove, if a run uses it.
    def rolled_back_in_use?
      name = backend.capture(:ls, "-xt", releases_path.to_s.shellescape).split.first
      used = releases_in_use
      return false if used && !used.key?(name)

      backend.info("faf: keeping release #{name} on #{backend.host}: #{used ? used[name] : 'it may be in use'}")
      true
    end
  end
end
