Gem::Specification.new do |gem|
  gem.name = "capistrano-faf"
  gem.version = "0.1.0"
  gem.summary = "Fire & Forget for Capistrano 3: units from the release, and releases that runs still use are kept"
  gem.authors = ["Fire & Forget"]
  gem.license = "MIT"
  gem.required_ruby_version = ">= 2.7"
  gem.files = Dir["lib/**/*", "README.md"]
  gem.add_dependency "capistrano", "~> 3.8"
end
