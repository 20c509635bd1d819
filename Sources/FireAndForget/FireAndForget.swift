// FireAndForget
