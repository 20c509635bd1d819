faf_plugin = self

namespace :faf do
  desc "Have fafd read its units again; running tasks keep what they were fired with"
  task :reload do
    on release_roles(fetch(:faf_roles)) do
      faf_plugin.reload
    end
  end

  desc "Restart fafd; no running task notices"
  task :restart do
    on release_roles(fetch(:faf_roles)) do
      execute(*faf_plugin.privileged, *fetch(:faf_restart_command).shellsplit)
    end
  end

  desc "Show what runs, and which releases are in use"
  task :status do
    on release_roles(fetch(:faf_roles)), in: :sequence do |host|
      root = faf_plugin.privileged
      puts "#{host}:"
      puts capture(*root, *faf_plugin.faf)
      puts capture(*root, *faf_plugin.faf("releases", "--in", releases_path), "2>&1")
    end
  end

  desc "Take the right to write the release from group and others"
  task :protect_release do
    next unless fetch(:faf_protect_release)

    on release_roles(fetch(:faf_roles)) do
      # Links to shared directories are not followed.
      execute :chmod, "-R", "go-w", release_path.to_s.shellescape
    end
  end

  namespace :units do
    desc "Check the units of the release; an error stops the deploy before it is published"
    task :verify do
      on release_roles(fetch(:faf_roles)) do
        faf_plugin.verify_units
      end
    end

    desc "Install (or link) the units of the release, and remove those that it no longer has"
    task :install do
      on release_roles(fetch(:faf_roles)) do
        faf_plugin.install_units
      end
    end
  end

  desc "Remove old releases but for those that runs use; deploy:cleanup removes no more than that"
  task :keep_releases do
    left = Queue.new
    on release_roles(:all) do |host|
      left << faf_plugin.prune_releases(asked: faf_plugin.runs_faf?(host))
    end
    # deploy:cleanup has one number for all hosts and knows nothing of runs: it is left nothing to remove.
    set :keep_releases, [fetch(:keep_releases), *Array.new(left.size) { left.pop }].max
  end

  desc "Keep the release that was rolled back while runs use it"
  task :keep_rolled_back do
    used = Queue.new
    on release_roles(fetch(:faf_roles)) do |host|
      used << host if faf_plugin.rolled_back_in_use?
    end
    # It is the only way to have a task of Capistrano not do its work. A later deploy:cleanup takes the release.
    Rake::Task["deploy:cleanup_rollback"].clear_actions unless used.empty?
  end
end
