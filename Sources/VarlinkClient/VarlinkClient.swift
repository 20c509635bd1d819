// VarlinkClient
